"""Which bags are in a folder, and how their outputs are called."""

import pytest

from iterprime_ros.bag_files.bag_folder import bags_of_folder, targets_in


def made(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@pytest.mark.parametrize(
    'names', [['metadata.yaml', 'other.mcap'], ['in_0.db3', 'in_1.db3'], ['in.mcap'], ['a.txt'], []]
)
def test_a_bag_and_a_folder_without_bags_have_none(names, tmp_path):
    (tmp_path / 'in').mkdir()
    assert bags_of_folder(made(tmp_path / 'in', *names)) == []
    assert bags_of_folder(tmp_path / 'none') == []


def test_files_and_folders_are_bags_with_outputs_of_their_own(tmp_path):
    names = ['a.bag', 'b.mcap', 'c/c_0.mcap', 'd/metadata.yaml', 'note.txt', 'no/a.txt', '.e.mcap']
    bags = bags_of_folder(made(tmp_path, *names))
    assert [each.name for each in bags] == ['a.bag', 'b.mcap', 'c', 'd']
    assert [each.name for each in targets_in(tmp_path / 'out', bags)] == ['a', 'b', 'c', 'd']


def test_outputs_of_bags_with_one_name_have_the_suffix_too(tmp_path):
    bags = bags_of_folder(
        made(tmp_path, 'a.bag', 'a.mcap', 'a.bag.mcap', 'b.db3', 'b/b_0.db3', 'c.db3')
    )
    targets = [each.name for each in targets_in(tmp_path, bags)]
    assert targets == ['a.bag', 'a.bag.mcap', 'a.mcap', 'b', 'b.db3', 'c']
