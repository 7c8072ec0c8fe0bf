"""Which bags are in a folder, and how their outputs are called."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from iterprime_ros.bag_files.scanning import storage_files

_SUFFIXES = ('.bag', '.mcap', '.db3')


def bags_of_folder(path: Path) -> list[Path]:
    """Return the bags in a folder by name, none where the path is a bag itself, or nothing.

    Bags are files, and folders of rosbag2; hidden ones are left out. A folder is a rosbag2 where it
    has a metadata.yaml; where a recorder was killed, a file with the name of the folder.
    """
    if not path.is_dir() or (path / 'metadata.yaml').exists():
        return []
    own = re.compile(re.escape(path.absolute().name) + r'(_[0-9]+)?\.(mcap|db3)')
    if any(own.match(file.name) for file in storage_files(path)):
        return []
    return sorted(each for each in path.iterdir() if each.name[0] != '.' and _is_bag(each))


def _is_bag(path: Path) -> bool:
    if not path.is_dir():
        return path.suffix in _SUFFIXES
    return (path / 'metadata.yaml').exists() or bool(storage_files(path))


def targets_in(folder: Path, bags: Sequence[Path]) -> list[Path]:
    """Return where to write the answers on bags: in a folder, under their names.

    The suffix of a file is left out, unless another bag has the rest of the name, too.
    """
    short = [each.name if each.is_dir() else each.stem for each in bags]
    count = Counter([*short, *(each.name for each in bags if not each.is_dir())])
    return [
        folder / (name if count[name] == 1 else each.name)
        for name, each in zip(short, bags, strict=True)
    ]
