"""Pictures show what they are given."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from iterprime_ros.errors import UnwritableError
from iterprime_ros.render import (
    DrawnAnswer,
    answers_figure,
    atomic_write,
    instance_colour,
    overlay,
    overlay_instances,
)


@pytest.fixture
def rgb():
    return np.full((40, 60, 3), 120, np.uint8)


@pytest.fixture
def mask():
    mask = np.zeros((40, 60), bool)
    mask[10:20, 10:30] = True
    return mask


def test_an_overlay_marks_the_mask_and_dims_the_rest(rgb, mask):
    picture = overlay(rgb, mask).astype(int)
    assert (picture[~mask] < 120).all()
    assert (picture[mask][:, 1] > picture[mask][:, 0] + 50).all()
    assert np.array_equal(overlay(rgb, np.zeros_like(mask)), rgb)


def test_instances_have_their_colours_and_the_first_is_in_front(rgb, mask):
    other = np.zeros_like(mask)
    other[15:30, 10:30] = True
    picture = overlay_instances(rgb, [mask, other])
    for one, where in enumerate((mask, other & ~mask)):
        red, green, blue = to_rgb(instance_colour(one)[0])
        seen = picture[where].mean(axis=0) / 255
        assert np.corrcoef(seen, (red, green, blue))[0, 1] > 0.9
    assert (picture[~(mask | other)] < 120).all()
    assert np.array_equal(overlay_instances(rgb, [mask]), overlay(rgb, mask))
    assert np.array_equal(overlay_instances(rgb, []), rgb)


def test_twelve_objects_have_different_colours_with_readable_letters():
    colours = [instance_colour(n) for n in range(12)]
    assert len({fill for fill, _ in colours}) == 12
    assert instance_colour(12) == colours[0]
    for fill, letters in colours:
        distance = np.abs(np.subtract(to_rgb(fill), to_rgb(letters)))
        assert distance @ (0.299, 0.587, 0.114) > 0.4


@pytest.mark.parametrize('count', [1, 3])
def test_a_figure_has_two_panels_for_each_answer(rgb, mask, count):
    long_text = 'words without end ' * 40
    answers = [DrawnAnswer(long_text, 'Found $it$.', mask, None, None)] * count
    figure = answers_figure(rgb, answers)
    assert figure.get_figwidth() * figure.dpi == 1600
    assert len(figure.axes) == 2 * count
    title = figure.axes[0].get_title()
    assert title.count('\n') <= 4
    assert '...' in title


def write(path, text, error=None):
    """Write a text, and raise an error, if any, before the file is complete."""
    with atomic_write(path) as part:
        part.write_text(text)
        if error:
            raise error


def test_a_file_appears_only_once_it_is_complete(tmp_path):
    out = tmp_path / 'new folder' / 'a.txt'
    with pytest.raises(ValueError):
        write(out, 'first', ValueError())
    assert not out.exists()
    write(out, 'second')
    with pytest.raises(ValueError):
        write(out, 'third', ValueError())
    assert out.read_text() == 'second'
    assert [each.name for each in out.parent.iterdir()] == [out.name]


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UnwritableError, match=r'Cannot write .*/file/a\.txt: '):
        write(tmp_path / 'file' / 'a.txt', '')
