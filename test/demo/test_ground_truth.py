"""Answers are compared with what is true of the simulated scene."""

import re

import numpy as np
import pytest
from geometry_msgs.msg import Point
from std_msgs.msg import Header

from iterprime_ros.demo.command_client import Answer
from iterprime_ros.demo.ground_truth import drawn_answer, object_name, summary
from iterprime_ros.demo.scene_subscriber import RgbdFrame
from iterprime_ros.geometry.surface import surface
from iterprime_ros.msg import Candidate, ReferredObject
from iterprime_ros.ros.convert.referred_object import cropped_mask_image, roi_of
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.view import view_of


@pytest.fixture
def rendered(small_renderer):
    """Return the frame and the view of a scene."""

    def render(seed):
        picture = small_renderer.render(sample_scene(seed))
        return RgbdFrame(picture.rgb, picture.depth, picture.ids, picture.pinhole), view_of(picture)

    return render


@pytest.fixture
def summarized(rendered):
    """Return the summary of an answer to a command; covered: id of the masked object, or None."""

    def line(seed, command, status, covered=None, **fields):
        frame, view = rendered(seed)
        result = ReferredObject(command=command, status=status, match_probability=0.5, **fields)
        if covered:
            result.ranked_by = result.ranked_by or 'mean'
            mask = frame.ids == covered
            centroid = surface(frame.depth, mask, frame.rgb, frame.pinhole).centroid
            result.image_height, result.image_width = mask.shape
            result.roi = roi_of(mask)
            result.mask = cropped_mask_image(Header(), mask, result.roi)
            result.point_count = 9
            result.centroid = Point(**dict(zip('xyz', map(float, centroid), strict=True)))
        return summary(Answer(result, None), frame, view)

    return line


def test_two_objects_of_one_name_are_told_apart(summarized):
    target, other, mug = 3, 4, 5
    command = 'the orange bottle to the right of the blue thing'
    line = summarized(7, command, ReferredObject.FOUND, other)
    assert (
        'IoU 0.00 with the large orange bottle, the mask covers the other large orange bottle'
        in line
    )
    line = summarized(7, command, ReferredObject.FOUND, mug)
    assert 'IoU 0.00 with the large orange bottle, the mask covers the small orange mug' in line
    line = summarized(7, command, ReferredObject.FOUND, target)
    assert 'IoU 1.00 with the large orange bottle, centroid error 0 mm' in line
    assert 'covers' not in line


def test_a_false_rejection_names_the_object(summarized):
    text = 'There are two balls, but none is left of a plate (best chance 0.50, below 0.6).'
    line = summarized(2, 'the red ball', ReferredObject.NOT_FOUND, text=text)
    assert line == f'not found. {text} But the small red ball is in the scene, 0 ms'
    assert 'IoU' not in line


def test_a_correct_rejection_says_so(summarized):
    text = 'Nothing here matches "the red mug" (match 0.50, below 0.6).'
    line = summarized(2, 'the red mug', ReferredObject.NOT_FOUND, text=text)
    assert line == f'not found. {text} No such object is in the scene, 0 ms'


@pytest.mark.parametrize('measure', ['match', 'chance'])
def test_an_ambiguous_answer_says_what_tells_the_objects_apart(summarized, measure):
    def line(text):
        ranked_by = 'chance' if measure == 'chance' else 'overlap'
        status = ReferredObject.AMBIGUOUS
        return summarized(7, 'the bottle', status, 4, text=text, ranked_by=ranked_by)

    stated = f'Two bottles fit: one on the left, one on the right ({measure} 0.50).'
    unstated = 'Four bottles fit: say which two.'
    rest = 'The mask covers the large orange bottle, IoU 1.00, centroid error 0 mm, 0 ms'
    assert line(stated) == f'ambiguous. {stated} {rest}'
    assert line(unstated) == f'ambiguous, {measure} 0.50. {unstated} {rest}'


def test_the_probability_is_called_what_it_is(summarized):
    for ranked_by, name in (('mean', 'match'), ('overlap', 'match'), ('chance', 'chance')):
        line = summarized(2, 'the red ball', ReferredObject.FOUND, 1, ranked_by=ranked_by)
        assert line.startswith(f'found, {name} 0.50, IoU ')


def test_a_mask_for_an_absent_object_is_named(summarized):
    line = summarized(2, 'the red mug', ReferredObject.FOUND, 1)
    expected = 'found, match 0.50, but no such object is in the scene, the mask covers the '
    assert line.startswith(expected)
    assert 'IoU' not in line


def test_an_unclear_command_is_compared_with_the_object_under_the_mask(summarized, rendered):
    item = rendered(2)[1].objects[0]
    name = f'{item.size} {item.colour} {item.kind}'
    line = summarized(2, 'whatever', ReferredObject.FOUND, item.id)
    assert f'the mask covers the {name}, IoU 1.00, centroid error 0 mm' in line


def several_of(frame, masks, command):
    """The answer that masks are the objects that are meant."""
    result = ReferredObject(command=command, status=ReferredObject.FOUND_SEVERAL)
    result.match_probability, result.instance_count = 0.5, len(masks)
    result.text, result.ranked_by = 'Found some of them.', 'chance'
    result.image_height, result.image_width = frame.ids.shape
    result.candidates = [Candidate() for _ in masks]
    for part, mask in zip(
        (result, *result.candidates), (np.any(masks, axis=0), *masks), strict=True
    ):
        part.roi = roi_of(mask)
        part.mask = cropped_mask_image(Header(), mask, part.roi)
    return Answer(result, None)


def test_each_of_several_objects_is_compared_with_the_one_that_it_covers(rendered):
    frame, view = rendered(2)
    first, second = view.objects[:2]
    masks = [frame.ids == first.id, frame.ids == second.id, frame.ids == 0]
    masks[1] &= np.arange(masks[1].shape[1]) > np.median(np.nonzero(masks[1])[1])
    answer = several_of(frame, masks, 'all the whatever')
    share = masks[1].sum() / (frame.ids == second.id).sum()
    assert summary(answer, frame, view) == (
        'found several, chance 0.50. Found some of them. '
        f'The {object_name(first)} with IoU 1.00, '
        f'the {object_name(second)} with IoU {share:.2f}, the background, 0 ms'
    )
    drawn = drawn_answer(answer, frame, view)
    assert np.array_equal(drawn.mask, np.any(masks, axis=0))
    assert drawn.truth is None


def test_several_objects_are_compared_with_all_that_are_meant(rendered):
    frame, view = rendered(7)
    bottles = [item.id for item in view.objects if item.kind == 'bottle']
    command = 'the bottle'  # which fits each of them
    answer = several_of(frame, [frame.ids == each for each in bottles[:1]], command)
    drawn = drawn_answer(answer, frame, view)
    assert np.array_equal(drawn.truth, np.isin(frame.ids, bottles))
    share = (frame.ids == bottles[0]).sum() / drawn.truth.sum()
    assert f'. IoU {share:.2f} with all {len(bottles)} of them, ' in summary(answer, frame, view)
    absent = several_of(frame, [frame.ids == bottles[0]], 'the yellow bottle')
    assert '. But no such object is in the scene, the ' in summary(absent, frame, view)


def test_the_cause_of_an_invalid_command_goes_on_the_line(summarized):
    line = summarized(2, '!!!', ReferredObject.INVALID, text='The command has no letters.')
    assert re.search(', the command has no letters, [^,]* ms$', line)


def test_the_true_mask_is_drawn_where_the_object_is_in_the_scene(rendered):
    frame, view = rendered(2)

    def truth_of(command):
        result = ReferredObject(command=command, status=ReferredObject.NOT_FOUND)
        return drawn_answer(Answer(result, None), frame, view).truth

    ball = next(item.id for item in view.objects if (item.colour, item.kind) == ('red', 'ball'))
    assert np.array_equal(truth_of('the red ball'), frame.ids == ball)
    assert truth_of('the red mug') is None
    assert truth_of('whatever') is None
