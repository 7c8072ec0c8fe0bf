"""The command line: what it prints and writes, its exit codes, and Ctrl-C."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from itertools import product
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from PIL import Image

from helpers.tiny_profile import write_profile
from iterprime_ros import image_files
from iterprime_ros.cli import main
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import DEFAULT, PROFILE_NAMES, load_profile
from iterprime_ros.sim.scene import sample_scene


@pytest.fixture(scope='module')
def photo(picture, tmp_path_factory):
    path = tmp_path_factory.mktemp('photos') / 'table.png'
    Image.fromarray(picture).save(path)
    return path


def test_the_command_line_writes_what_is_asked_for(photo, regions, tmp_path, capsys):
    outputs = {name: tmp_path / 'new' / f'{name}.png' for name in ('out', 'mask', 'explain')}
    options = [part for name, path in outputs.items() for part in (f'--{name}', str(path))]
    code = main(
        [
            *('segment', str(photo), 'the $5 red mug $'),
            *('--profile', str(regions), '--offline', '--json', *options),
        ]
    )
    assert code == 0
    said = json.loads(capsys.readouterr().out)
    mask = np.asarray(Image.open(outputs['mask']))
    assert mask.shape == (120, 160)
    assert set(np.unique(mask)) == {0, 255}
    assert (mask > 0).sum() == said['pixels']
    rows, columns = np.nonzero(mask)
    box = said['box']
    assert (box['x'], box['y']) == (columns.min(), rows.min())
    assert (box['width'], box['height']) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
    assert np.asarray(Image.open(outputs['out'])).shape == (120, 160, 3)
    assert matplotlib.image.imread(outputs['explain']).shape[1] == 1500


def test_folders_and_several_commands(photo, regions, tmp_path, capsys):
    folder = tmp_path / 'photos'
    folder.mkdir()
    for name in ('a.png', 'b.png'):
        (folder / name).write_bytes(photo.read_bytes())
    (folder / 'notes.txt').write_text('no image')
    code = main(
        [
            *('segment', str(folder), 'the mug', 'the ball'),
            *('--profile', str(regions), '--offline', '--mask', str(tmp_path / 'masks')),
        ]
    )
    assert code == 0
    assert sorted(path.name for path in (tmp_path / 'masks').iterdir()) == [
        'a-0-mask.png', 'a-1-mask.png', 'b-0-mask.png', 'b-1-mask.png'
    ]  # fmt: skip
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 4
    for name in ('a-0-mask.png', 'b-1-mask.png'):
        assert f'Written: {tmp_path / "masks" / name}' in said.err


def test_images_of_one_name_do_not_replace_each_other(photo, regions, tmp_path):
    folder = tmp_path / 'photos'
    folder.mkdir()
    (folder / 'a.png').write_bytes(photo.read_bytes())
    Image.open(photo).save(folder / 'a.jpg')
    common = ['the mug', '--profile', str(regions), '--offline', '--mask', str(tmp_path / 'masks')]
    assert main(['segment', str(folder), *common]) == 0
    names = sorted(path.name for path in (tmp_path / 'masks').iterdir())
    assert names == ['a.jpg-0-mask.png', 'a.png-0-mask.png']
    assert main(['segment', str(photo), *common]) == 0  # one image into a folder that is there
    assert (tmp_path / 'masks' / 'table-0-mask.png').is_file()


def test_deep_images_are_refused(regions, tmp_path, capsys):
    path = tmp_path / 'deep.png'
    Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * 100).save(path)
    assert main(['segment', str(path), 'the mug', '--profile', str(regions), '--offline']) == 2
    assert 'more than 8 bits' in capsys.readouterr().err


def test_exit_codes_and_sentences(photo, regions, tmp_path, capsys):
    common = ['--profile', str(regions), '--offline']
    assert main(['segment', str(photo), '...', *common]) == 2
    broken = tmp_path / 'broken.png'
    broken.write_bytes(photo.read_bytes()[:200])
    for arguments in (
        ['segment', str(tmp_path / 'none.png'), 'the mug', *common],
        ['segment', str(broken), 'the mug', *common],
        ['segment', str(tmp_path / 'block.yaml'), 'the mug', *common],
        ['segment', str(photo), 'the mug', '--profile', 'none'],
        ['segment', str(photo), 'the mug', '--profile', 'blip-sam', '--offline'],
        ['segment', str(photo), 'the mug', *common, '--out', str(photo / 'a' / 'b.png')],
        ['models', 'fetch', 'none'],
    ):
        capsys.readouterr()
        assert main(arguments) == 2, arguments
        sentence = capsys.readouterr().err.strip()
        assert sentence
        assert len(sentence.splitlines()) == 1


@pytest.mark.parametrize(
    ('command', 'options', 'words'),
    [
        ('the mug', ('--out', 'found.jpg'), 'found.jpg is neither named .png nor'),
        ('the mug', ('--mask', 'found'), 'found is neither named .png nor'),
        (' ', (), 'A COMMAND is empty'),
    ],
)
def test_wrong_use_is_refused_before_models_are_loaded(photo, capsys, command, options, words):
    # A profile that is not there would be the next complaint.
    assert main(['segment', str(photo), command, '--profile', 'none', *options]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.splitlines()) == 1


def test_a_plural_is_answered_with_all_and_counts_as_found(photo, weights, tmp_path, capsys):
    profile = write_profile(tmp_path / 'parts.yaml', weights, answer={'by': 'parts'})
    options = ['--profile', str(profile), '--offline', '--json', '--out', str(tmp_path / 'out.png')]
    assert main(['segment', str(photo), 'all the mugs', *options]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said['status'] == 'found several'
    assert said['instance_count'] == len(said['candidates']) > 1
    for each in said['candidates']:
        assert 0 <= each['chance'] <= 1
        assert each['box']['width'] > 0
    assert np.asarray(Image.open(tmp_path / 'out.png')).shape == (120, 160, 3)


def test_depth_reaches_the_reasoning(small_renderer, weights, tmp_path, capsys):
    seen = small_renderer.render(sample_scene(16))
    Image.fromarray(seen.rgb).save(tmp_path / 'image.png')
    millimetres = np.nan_to_num(1000 * seen.depth).round().astype(np.uint16)
    Image.fromarray(millimetres).save(tmp_path / 'depth.png')
    profile = write_profile(tmp_path / 'parts.yaml', weights, answer={'by': 'parts'})
    common = ['segment', str(tmp_path / 'image.png'), 'the mug behind the ball', '--json']
    common += ['--profile', str(profile), '--offline']
    lens = seen.pinhole
    given = ['--intrinsics', f'{lens.fx},{lens.fy},{lens.cx},{lens.cy}']
    answers = []
    for more in ([], ['--depth', str(tmp_path / 'depth.png'), *given]):
        assert main([*common, *more]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    model = IteRPrimE.from_profile(profile, 'cpu', offline=True)
    for said, frame in zip(
        answers,
        (model.embed(seen.rgb), model.embed(seen.rgb, millimetres / np.float32(1000), lens)),
        strict=True,
    ):
        expected = model.segment(frame, 'the mug behind the ball')
        chances = [each['chance'] for each in said['candidates']]
        assert chances == pytest.approx([each.chance for each in expected.candidates], abs=1e-4)
        assert 'encode image for matching' in said['milliseconds']
    flat, deep = ([each['chance'] for each in said['candidates']] for said in answers)
    assert flat != pytest.approx(deep, abs=1e-3)


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (('--depth', 'depth.png'), 'give both'),
        (('--intrinsics', '100,100,80,60'), 'give both'),
        (('--depth', '', '--intrinsics', '100,100,80,60'), '--depth is empty'),
        (('--depth', 'none.png', '--intrinsics', '100,100,80,60'), 'none.png cannot be read'),
    ],
)
def test_wrong_depth_is_refused_before_models_are_loaded(photo, capsys, options, words):
    assert main(['segment', str(photo), 'the mug', '--profile', 'none', *options]) == 2
    assert words in capsys.readouterr().err


def test_depth_is_of_one_image_and_one_camera(segment, photo, photos, tmp_path, capsys):
    depth = tmp_path / 'depth.png'
    Image.fromarray(np.full((120, 160), 700, np.uint16)).save(depth)
    shutil.copy(photo, photos / 'b.png')
    assert segment(photos, 'the mug', '--depth', depth, '--intrinsics', '100,100,80,60') == 2
    assert 'IMAGE holds 2' in capsys.readouterr().err
    for numbers in ('0,100,80,60', 'nan,100,80,60'):
        assert segment(photo, 'the mug', '--depth', depth, '--intrinsics', numbers) == 2
        assert 'no camera of 160 x 120 pixels' in capsys.readouterr().err
    for numbers in ('100,100,80', 'a,b,c,d'):
        with pytest.raises(SystemExit):
            segment(photo, 'the mug', '--depth', depth, '--intrinsics', numbers)
        assert 'four numbers' in capsys.readouterr().err
    Image.fromarray(np.full((120, 120), 700, np.uint16)).save(depth)
    assert segment(photo, 'the mug', '--depth', depth, '--intrinsics', '100,100,80,60') == 2
    assert "not the shape of the image's" in capsys.readouterr().err


def test_the_help_names_the_default_profile(capsys):
    with pytest.raises(SystemExit):
        main(['segment', '--help'])
    assert f'({DEFAULT})' in capsys.readouterr().out


def test_what_is_not_found_is_one(photo, weights, tmp_path):
    strict = write_profile(tmp_path / 'strict.yaml', weights, answer={'match_threshold': 1.0})
    common = ['--profile', str(strict), '--offline']
    assert main(['segment', str(photo), 'the mug', *common]) == 1


def test_models_are_listed():
    answer = subprocess.run(
        [sys.executable, '-m', 'iterprime_ros.cli', 'models', 'list'],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in PROFILE_NAMES:
        each = load_profile(name)
        assert name in answer.stdout
        assert each.matcher.weights in answer.stdout


def test_the_default_says_what_it_does_not_know(picture, tmp_path, capsys):
    file = tmp_path / 'table.png'
    Image.fromarray(picture).save(file)
    main(['segment', str(file), 'the blue cube', '--device', 'cpu'])
    assert 'knows only the simulated table' in capsys.readouterr().err


@pytest.fixture
def segment(regions):
    """Run `iterprime segment` with the small models, and return the exit code."""

    def run(*arguments):
        return main(['segment', *map(str, arguments), '--profile', str(regions), '--offline'])

    return run


@pytest.fixture
def photos(photo, tmp_path):
    """A folder of one photograph."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    shutil.copy(photo, folder / 'a.png')
    return folder


@pytest.fixture
def make_pipe():
    """Make a pipe; what opens it to read gets an end of file after a while, and does not hang."""
    timers = []

    def make(path):
        os.mkfifo(path)
        timers.append(threading.Timer(20, lambda: os.close(os.open(path, os.O_WRONLY))))
        timers[-1].daemon = True
        timers[-1].start()
        return path

    yield make
    for timer in timers:
        timer.cancel()


def pixels(path):
    return np.asarray(Image.open(path))


def test_outputs_of_each_kind_have_their_own_names(segment, photo, tmp_path, capsys):
    folder = tmp_path / 'outputs'
    folder.mkdir()
    assert segment(photo, 'the mug', '--out', folder, '--mask', folder, '--explain', folder) == 0
    names = [f'table-0-{kind}.png' for kind in ('overlay', 'mask', 'explanation')]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert ', '.join(str(folder / name) for name in names) in capsys.readouterr().err
    assert pixels(folder / names[0]).shape == (120, 160, 3)
    assert set(np.unique(pixels(folder / names[1]))) == {0, 255}
    assert pixels(folder / names[2]).shape[1] == 1500


def test_a_mask_does_not_replace_a_photograph(segment, photos, picture):
    shutil.copy(photos / 'a.png', photos / 'a-0.png')
    assert segment(photos, 'the mug', '--mask', photos) == 0
    for name in ('a.png', 'a-0.png'):
        assert np.array_equal(pixels(photos / name), picture)
    assert (photos / 'a-0-mask.png').is_file()


@pytest.mark.parametrize('option', ['--out', '--mask', '--explain'])
def test_an_output_that_would_replace_the_image_is_refused_at_once(photos, picture, option, capsys):
    image = photos / 'a.png'
    # A profile that is not there would be the next complaint.
    assert main(['segment', str(image), 'the mug', '--profile', 'none', option, str(image)]) == 2
    assert capsys.readouterr().err == (
        f'The output {image} would replace the image {image}: name another file or folder.\n'
    )
    assert np.array_equal(pixels(image), picture)


def test_two_outputs_in_one_file_are_refused_at_once(photo, tmp_path, capsys):
    same = str(tmp_path / 'same.png')
    options = ['--profile', 'none', '--out', same, '--explain', same]
    assert main(['segment', str(photo), 'the mug', *options]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f'Two outputs would be written to {same}: ')
    assert len(said.splitlines()) == 1


def test_a_write_that_fails_leaves_the_file_that_was_there(segment, photo, tmp_path, monkeypatch):
    def fail(self, path, **_):
        path.write_bytes(b'half')
        raise OSError(28, 'No space left on device')

    out = tmp_path / 'found.png'
    out.write_bytes(b'whole')
    monkeypatch.setattr(Image.Image, 'save', fail)
    assert segment(photo, 'the mug', '--out', out) == 2
    assert out.read_bytes() == b'whole'
    assert list(tmp_path.iterdir()) == [out]


def test_a_bad_image_is_reported_and_the_others_are_answered(segment, photos, capsys):
    (photos / 'b.png').write_text('no image')
    (photos / 'c.png').write_bytes((photos / 'a.png').read_bytes()[:200])
    shutil.copy(photos / 'a.png', photos / 'd.png')
    assert segment(photos, 'the mug', 'the ball') == 2
    said = capsys.readouterr()
    answered = [line.split(':')[0] for line in said.out.splitlines()]
    assert answered == [str(photos / name) for name in ('a.png', 'a.png', 'd.png', 'd.png')]
    for name in ('b.png', 'c.png'):
        assert len([line for line in said.err.splitlines() if str(photos / name) in line]) == 1


def test_the_progress_counts_images_that_are_skipped(segment, photos, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    (photos / 'b.png').write_text('no image')
    terminal = Terminal()
    monkeypatch.setattr(sys, 'stderr', terminal)
    assert segment(photos, 'the mug', 'the ball') == 2
    assert '4/4' in terminal.getvalue().splitlines()[-1]


def test_pipes_and_folders_named_like_images_are_skipped(segment, photos, make_pipe, capsys):
    make_pipe(photos / 'b.png')
    (photos / 'c.png').mkdir()
    assert segment(photos, 'the mug') == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    for name in ('b.png', 'c.png'):
        assert f'{photos / name} is no regular file and is skipped.' in said.err.splitlines()


@pytest.mark.parametrize('name', ['image', 'profile.yaml'])
def test_a_pipe_is_refused(photo, tmp_path, make_pipe, capsys, name):
    pipe = make_pipe(tmp_path / name)
    image, profile = (pipe, 'none') if name == 'image' else (photo, pipe)
    assert main(['segment', str(image), 'the mug', '--profile', str(profile)]) == 2
    said = capsys.readouterr().err
    assert f'{pipe} is no regular file: name a' in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ('arguments', 'name'),
    [
        (('', 'the mug'), 'IMAGE'),
        (('table.png', 'the mug', '--out', ''), '--out'),
        (('table.png', 'the mug', '--mask', ''), '--mask'),
        (('table.png', 'the mug', '--explain', ''), '--explain'),
    ],
)
def test_an_empty_path_is_not_the_current_folder(photo, monkeypatch, capsys, arguments, name):
    monkeypatch.chdir(photo.parent)
    assert main(['segment', *arguments, '--profile', 'none']) == 2
    assert capsys.readouterr().err == f'{name} is empty: name a file or a folder.\n'


@pytest.mark.parametrize('option', ['image', '--out', '--mask', '--explain', '--profile'])
def test_names_that_are_too_long_are_one_sentence(photo, tmp_path, capsys, option):
    long = tmp_path / f'{"x" * 300}.{"yaml" if option == "--profile" else "png"}'
    named = (long, 'the mug') if option == 'image' else (photo, 'the mug', option, long)
    assert main(['segment', *map(str, named)]) == 2
    said = capsys.readouterr().err
    assert 'File name too long' in said
    assert len(said.splitlines()) == 1


def iterprime(*arguments, **options):
    """Run the command line in a process of its own, and return what came out."""
    return subprocess.run(
        [sys.executable, '-m', 'iterprime_ros.cli', *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def test_a_full_disk_behind_standard_output_is_one_sentence():
    for unbuffered in ('', '1'):
        with Path('/dev/full').open('w') as full:
            environment = {**os.environ, 'PYTHONUNBUFFERED': unbuffered}
            done = iterprime('models', 'list', stdout=full, env=environment)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith('Standard output failed (No space left on device): ')
        assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_left_is_one_sentence():
    reading, writing = os.pipe()
    os.close(reading)
    done = iterprime('models', 'list', stdout=writing)
    os.close(writing)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith('Standard output failed (Broken pipe): ')
    assert len(done.stderr.splitlines()) == 1


def test_closed_streams():
    command = f'{sys.executable} -m iterprime_ros.cli models list'
    closed = subprocess.run(
        ['sh', '-c', f'{command} >&-'], stderr=subprocess.PIPE, text=True, check=False
    )
    assert closed.returncode == 2
    assert closed.stderr.startswith('Standard output is closed: ')
    assert len(closed.stderr.splitlines()) == 1
    for end, unbuffered in product(('2>&-', '2>/dev/full'), ('', '1')):
        wrong = subprocess.run(
            ['sh', '-c', f'{command.replace("list", "fetch none")} {end}'],
            stdout=subprocess.PIPE,
            env={**os.environ, 'PYTHONUNBUFFERED': unbuffered},
            check=False,
        )
        assert (wrong.returncode, wrong.stdout) == (2, b'')


def test_standard_output_may_be_ascii(segment, photo, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, 'stdout', io.TextIOWrapper(raw, encoding='ascii'))
    assert segment(photo, 'the red tasse à café') == 0
    assert b'caf\\xe9' in raw.getvalue()


def test_an_answer_is_printed_before_the_next_image_is_read(segment, photos, monkeypatch):
    shutil.copy(photos / 'a.png', photos / 'b.png')
    raw = io.BytesIO()
    printed = []
    real = image_files.read_image

    def read(path):
        printed.append(raw.getvalue().count(b'\n'))
        return real(path)

    monkeypatch.setattr(sys, 'stdout', io.TextIOWrapper(raw))
    monkeypatch.setattr(image_files, 'read_image', read)
    assert segment(photos, 'the mug') == 0
    assert printed == [0, 1]


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (MemoryError(), 'The memory is full'),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 'The memory is'),
        (RuntimeError('CUDA out of memory. Tried to allocate 2 GiB.'), 'The memory is full'),
    ],
)
def test_full_memory_is_one_sentence_and_seventy(segment, photo, monkeypatch, capsys, error, words):
    def fail(*_):
        raise error

    monkeypatch.setattr(IteRPrimE, 'segment_many', fail)
    assert segment(photo, 'the mug') == 70
    said = capsys.readouterr().err
    assert said.startswith(words)
    assert len(said.splitlines()) == 1


def test_a_crash_is_no_answer(segment, photo, monkeypatch, capsys):
    def fail(*_):
        raise ZeroDivisionError('a fault')

    monkeypatch.setattr(IteRPrimE, 'segment_many', fail)
    assert segment(photo, 'the mug') == 70
    said = capsys.readouterr().err
    assert 'ZeroDivisionError: a fault' in said
    assert said.splitlines()[-1].startswith('This is a fault of iterprime')


def test_the_help_documents_the_exit_codes(capsys):
    for arguments in (['--help'], ['segment', '--help']):
        with pytest.raises(SystemExit):
            main(arguments)
        said = capsys.readouterr().out
        assert '70' in said
        assert '130' in said


COMPILED = """
import os, signal, time
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(30)
except BaseException:
    os.abort()
"""


@pytest.mark.parametrize('module', ['torch', 'transformers', 'matplotlib'])
def test_ctrl_c_while_imports_run(tmp_path, photo, module):
    """Compiled code aborts the process where an exception comes through its import."""
    (tmp_path / f'{module}.py').write_text(COMPILED)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    environment = {**os.environ, 'PYTHONPATH': path}
    done = iterprime(
        'segment', photo, 'the mug', stdout=subprocess.PIPE, env=environment, cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, '', '')


INTERRUPTED = """
import os, signal, sys, time
from pathlib import Path
from matplotlib.figure import Figure
from iterprime_ros.cli import main

def interrupted(figure, path, **options):
    Path(path).write_bytes(b'half')
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)
    save(figure, path, **options)

save = Figure.savefig
Figure.savefig = interrupted
sys.exit(main())
"""


def test_ctrl_c_leaves_whole_files_or_none(photos, regions, tmp_path):
    shutil.copy(photos / 'a.png', photos / 'b.png')
    folder = tmp_path / 'outputs'
    arguments = ['--mask', folder, '--explain', folder, '--profile', regions, '--offline']
    done = subprocess.run(
        [sys.executable, '-c', INTERRUPTED, 'segment', photos, 'the mug', *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, '', '')
    names = sorted(path.name for path in folder.iterdir())
    assert names == ['a-0-explanation.png', 'a-0-mask.png']
    for name in names:
        Image.open(folder / name).load()


def test_ctrl_c_keeps_what_it_did_before(segment, photo, monkeypatch):
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    segment(photo, 'the mug')
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
