"""What is saved for Rerun is what the answers say."""

import io

import numpy as np
import pytest
from PIL import Image

from helpers.recordings import Recording
from iterprime_ros.answer import Status
from iterprime_ros.cli import main
from iterprime_ros.errors import InvalidSettingError, UnwritableError
from iterprime_ros.explain_heatmaps import enlarged
from iterprime_ros.geometry.surface import surface
from iterprime_ros.spatial.grasping import grasps_of
from iterprime_ros.viewer.pictures import heatmap_picture
from iterprime_ros.viewer.recorder import Recorder
from iterprime_ros.viewer.tracks import log_tracks


@pytest.fixture(scope='module')
def saved(log_all, tmp_path_factory):
    path = tmp_path_factory.mktemp('look') / 'new' / 'answers.rrd'
    recorder = Recorder('answer', path)
    log_all(recorder)
    recorder.close()
    return Recording(path, 'answer')


def picture_of(saved, entity, n):
    """Return the picture (H, W, 3) that an entity shows with answer n."""
    (blob,) = saved.rows(entity, 'EncodedImage:blob')[n]
    data = bytes(blob)
    assert data[:3] == b'\xff\xd8\xff', 'JPEG'
    return np.asarray(Image.open(io.BytesIO(data)).convert('RGB')).astype(int)


def test_the_scene_asks_what_it_should(answered):
    statuses = [answer.status for _, answer in answered]
    assert statuses == [Status.FOUND, Status.FOUND_SEVERAL, Status.NOT_FOUND]


def test_the_image_is_the_one_that_was_asked_about(saved, table):
    for n in range(3):
        apart = np.abs(picture_of(saved, 'world/camera/image', n) - table.rgb)
        assert apart.mean() < 4


def test_masks_candidates_and_chances(saved, answered):
    for n, (_, answer) in enumerate(answered):
        classes = saved.rows('world/camera/answer/mask', 'SegmentationImage:buffer').get(n)
        if answer.status is Status.NOT_FOUND:
            assert classes is None
        else:
            mask = np.array(classes[0], np.uint8).reshape(answer.mask.shape)
            np.testing.assert_array_equal(mask > 0, answer.mask)
            for k, each in enumerate(answer.instances):
                assert (mask[each.mask] == k + 1).mean() > 0.9  # they may overlap a little
        labels = saved.rows('world/camera/answer/candidates', 'Boxes2D:labels')[n]
        expected = [f'{k + 1}: {each.chance:.2f}' for k, each in enumerate(answer.candidates)]
        assert labels == expected
        centres = saved.rows('world/camera/answer/candidates', 'Boxes2D:centers')[n]
        for centre, each in zip(centres, answer.candidates, strict=True):
            rows, columns = np.nonzero(each.mask)
            middle = [(columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2]
            np.testing.assert_allclose(centre, middle)
        assert saved.scalars('plots/chance/best')[n] == answer.candidates[0].chance
        assert saved.scalars('plots/chance/second')[n] == answer.candidates[1].chance
        assert saved.scalars('plots/chance/match')[n] == answer.match_probability


def test_a_relation_is_an_arrow_from_the_object_to_its_anchor(saved, answered):
    answer = answered[0][1]
    entity = 'world/camera/answer/relations'
    labels = saved.rows(entity, 'Arrows2D:labels')[0]
    assert labels[0].startswith('left of')
    origin = saved.rows(entity, 'Arrows2D:origins')[0][0]
    tip = np.add(origin, saved.rows(entity, 'Arrows2D:vectors')[0][0])
    assert answer.mask[round(origin[1]), round(origin[0])]
    factor = answer.parts.reasoning.factors[0]
    anchor = factor.best_anchors[answer.parts.objects[0], 0]
    mask = answer.candidates[answer.parts.objects.index(anchor)].mask
    assert mask[round(tip[1]), round(tip[0])]
    assert 1 not in saved.rows(entity, 'Arrows2D:labels')
    assert 1 in saved.rows(entity, 'Clear:is_recursive')


def test_heatmaps_of_the_answer_its_rounds_and_words(saved, table, answered):
    for n, (_, answer) in enumerate(answered):
        maps = {'answer': answer.heatmap}
        maps |= {f'round_{k}': enlarged(r.heatmap, table.rgb) for k, r in enumerate(answer.rounds)}
        for name, heatmap in maps.items():
            seen = picture_of(saved, f'heatmaps/{name}', n)
            assert np.abs(seen - heatmap_picture(table.rgb, heatmap)).mean() < 4, name
        (title,) = saved.rows('heatmaps/round_0/title', 'Boxes2D:labels')[n]
        assert title == f'round 0: match {answer.rounds[0].probability:.2f}'
        words = saved.rows('heatmaps/word_0/title', 'Boxes2D:labels').get(n)
        assert words is None or words[0].split(' ')[0] in answer.command.expression
    assert saved.rows('heatmaps/word_0', 'EncodedImage:blob')


def test_heatmaps_are_clear_where_they_are_cold():
    grey = np.full((2, 2, 3), 100, np.uint8)
    heatmap = np.array([[0, 1], [0, 0]], np.float32)
    seen = heatmap_picture(grey, heatmap).astype(int)
    assert seen[0, 1, 0] > 200  # the hottest of inferno is light yellow
    assert np.ptp(seen[1, 1]) <= 1


def test_objects_and_grasps_in_3d(saved, table, answered):
    for n, (_, answer) in enumerate(answered):
        for k, each in enumerate(answer.instances):
            seen = surface(table.depth, each.mask, table.rgb, table.pinhole)
            points = saved.rows(f'world/objects/{k}/points', 'Points3D:positions')[n]
            np.testing.assert_array_equal(np.array(points, np.float32), seen.points)
            (centre,) = saved.rows(f'world/objects/{k}/box', 'Boxes3D:centers')[n]
            np.testing.assert_allclose(centre, seen.box.position, rtol=1e-6)
            grasps = grasps_of(each.mask, table.depth, table.pinhole, points=seen.points).grasps
            labels = saved.rows(f'world/objects/{k}/grasps', 'LineStrips3D:labels').get(n, [])
            assert labels == [f'grasp {grasp.quality:.2f}' for grasp in grasps]
    assert saved.rows('world/objects/0/grasps', 'LineStrips3D:labels')[0]
    assert list(saved.rows('world/objects', 'Clear:is_recursive')) == [0, 1, 2]


def test_a_grasp_is_drawn_from_fingertip_to_fingertip(saved, table, answered):
    mask = answered[0][1].mask
    best = grasps_of(mask, table.depth, table.pinhole).grasps[0]
    strip = np.array(saved.rows('world/objects/0/grasps', 'LineStrips3D:strips')[0][0])
    tips = strip[:2]
    np.testing.assert_allclose(tips.mean(axis=0), best.position, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(tips[0] - tips[1]), best.width, atol=1e-6)
    assert set(map(tuple, strip[[0, 1]])) == set(map(tuple, strip[[-2, -1]]))


def test_the_scene_and_its_camera(saved, table):
    (matrix,) = saved.rows('world/camera', 'Pinhole:image_from_camera')[0]
    np.testing.assert_allclose(np.reshape(matrix, (3, 3)).T, table.pinhole.matrix, rtol=1e-6)
    points = np.array(saved.rows('world/scene', 'Points3D:positions')[0])
    assert 10_000 < len(points) <= 40_000
    pixels = np.round(table.pinhole.project(points)).astype(int)
    np.testing.assert_allclose(points[:, 2], table.depth[pixels[:, 1], pixels[:, 0]], rtol=1e-5)
    assert saved.rows('world', 'ViewCoordinates:xyz')[None] == [[3, 2, 5]]  # right, down, forward


def test_what_was_said(saved, answered):
    for n, (command, answer) in enumerate(answered):
        (text,) = saved.rows('answer', 'TextDocument:text')[n]
        assert command in text
        assert 'verb' in text
        (line,) = saved.rows('history', 'TextLog:text')[n]
        assert line == f'"{command}": {answer.text}'
        (level,) = saved.rows('history', 'TextLog:level')[n]
        assert level == ('WARN' if answer.status is Status.NOT_FOUND else 'INFO')
        for stage, spent in answer.milliseconds.items():
            assert saved.scalars(f'plots/latency/{stage.replace(" ", "_")}')[n] == spent


def test_what_is_static_is_logged_once(saved):
    """The server drops nothing that is static, so a long run must not add to it."""
    assert len(saved.static) == len(set(saved.static))


def test_every_entity_is_documented(saved, pytestconfig):
    text = (pytestconfig.rootpath / 'docs' / 'look.md').read_text()
    for entity in saved.entities - {'__properties'}:
        family = entity.replace('/0', '/N').replace('/1', '/N').replace('/2', '/N')
        family = family.replace('_0', '_N').replace('_1', '_N').removesuffix('/title')
        if family.startswith(('plots/latency/', 'plots/chance/')):
            family = family.rsplit('/', 1)[0]
        assert f'`{family}' in text, family


def test_an_answer_without_depth_has_no_3d(table, answered, tmp_path):
    from iterprime_ros.viewer.answers import log_answer

    recorder = Recorder('answer', tmp_path / 'flat.rrd')
    recorder.at(0)
    log_answer(recorder, table.rgb, *answered[0])
    recorder.close()
    flat = Recording(tmp_path / 'flat.rrd', 'answer')
    assert 'world/camera/answer/candidates' in flat.entities
    assert not {each for each in flat.entities if each.startswith(('world/objects', 'world/scene'))}


def test_nothing_is_seen_of_tracks_before_they_begin(tmp_path):
    recorder = Recorder('video', tmp_path / 'tracks.rrd')
    recorder.at(0.5)
    log_tracks(recorder, [None])
    recorder.close()
    assert 'world/camera/answer/mask' not in Recording(tmp_path / 'tracks.rrd', 'video').entities


@pytest.mark.parametrize(
    ('name', 'error', 'reason'),
    [
        ('answers.png', InvalidSettingError, r'\.rrd'),
        ('file/answers.rrd', UnwritableError, 'Cannot write'),
    ],
)
def test_a_file_that_cannot_be_is_refused(tmp_path, name, error, reason):
    (tmp_path / 'file').write_text('')
    with pytest.raises(error, match=reason):
        Recorder('answer', tmp_path / name)


def test_the_command_line_saves_answers(table, regions, tmp_path, capsys):
    Image.fromarray(table.rgb).save(tmp_path / 'table.png')
    file = tmp_path / 'look.rrd'
    words = ['segment', str(tmp_path / 'table.png'), 'the mug', 'the cube', '--look', str(file)]
    main([*words, '--profile', str(regions), '--offline', '--json'])
    printed = capsys.readouterr()
    assert f'Written: {file}' in printed.err
    saved = Recording(file, 'answer')
    assert sorted(saved.rows('history', 'TextLog:text')) == [0, 1]
    code = main([*words[:-1], str(tmp_path / 'table.png')])
    assert code == 2
    assert 'put --look last' in capsys.readouterr().err
