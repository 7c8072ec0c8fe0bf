"""Which clips and frames a sheet shows, and that they are the right ones."""

import numpy as np

from helpers.clip_outcomes import data_set, drawn_clip, outcome, square
from iterprime_ros.evaluation.clip_log import RecordedFollowing
from iterprime_ros.evaluation.clip_sheet import COLUMNS, clip_sheet, shown_frames, worst_clips
from iterprime_ros.evaluation.mask_rle import encoded


def recorded(*scores):
    """Return clips with these J of the tracker and of a baseline, with masks that move."""
    outcomes = {}
    for index, pair in enumerate(scores):
        outcomes[index] = {
            name: outcome(
                f'clip{index}',
                similarity=(score,) * 20,
                accuracy=(score,) * 20,
                masks=tuple(encoded(square(k)) for k in range(20)),
            )
            for name, score in zip(('tracker', 'plain'), pair, strict=True)
        }
    return RecordedFollowing({'clips': len(scores)}, outcomes)


def clips(count):
    targets = [square(k) for k in range(20)]
    return data_set([drawn_clip(targets, name=f'clip{k}') for k in range(count)])


def test_the_worst_come_first():
    found = recorded((0.9, 0.1), (0.2, 0.8), (0.2, 0.9), (0.5, 0.5))
    assert worst_clips(found, 'tracker') == [1, 2, 3, 0]
    assert worst_clips(found, 'plain', 2) == [0, 3]


def test_frames_are_at_even_steps():
    assert shown_frames(90) == [0, 13, 25, 38, 51, 64, 76, 89]
    assert shown_frames(3) == [0, 1, 2]
    assert shown_frames(1) == [0]


def test_every_follower_has_a_row_of_the_frames_of_its_clip():
    found = recorded((0.9, 0.1), (0.25, 0.75), (0.5, 0.5))
    sheet = clip_sheet('Clips', found, clips(3), [1, 2])
    cells = np.array(sheet.axes).reshape(4, COLUMNS)
    headings = [row[0].get_title(loc='left').splitlines()[0] for row in cells]
    assert headings == [
        'clip1, tracker: J&F 0.25',
        'clip1, plain: J&F 0.75',
        'clip2, tracker: J&F 0.50',
        'clip2, plain: J&F 0.50',
    ]
    verdicts = [cell.get_title() for cell in cells[0, 1:]]
    assert verdicts == [f'{k}: tracking, J 0.25' for k in shown_frames(20)[1:]]
    # Frame k of a drawn clip is of grey k, which the overlay keeps dimmed outside of the mask.
    corners = [cell.images[0].get_array()[0, 0, 0] for cell in cells[0]]
    assert corners == [round(0.45 * k) for k in shown_frames(20)]


def test_a_short_clip_leaves_cells_empty():
    found = RecordedFollowing({'clips': 1}, {0: {'tracker': outcome(frames=2)}})
    sheet = clip_sheet('Clips', found, data_set([drawn_clip([square(4), square(5)])]), [0])
    assert [bool(cell.images) for cell in sheet.axes] == [True] * 2 + [False] * (COLUMNS - 2)
