"""Point the CMake files of the ROS 2 wheels at this machine's headers.

The wheels' CMake export files name the include folders of the machine that built them
(/opt/python/cp311-cp311/include/python3.11 and the NumPy headers below it), so that no package
which generates messages builds against them as installed.
"""

import re
import sys
import sysconfig
from pathlib import Path

_BUILD_MACHINE = r'/opt/python/cp3\d+-cp3\d+'
_PYTHON_INCLUDE = re.compile(_BUILD_MACHINE + r'/include/python3\.\d+')
_NUMPY_INCLUDE = re.compile(
    _BUILD_MACHINE + r'/lib/python3\.\d+/site-packages/numpy/_?core/include'
)


def relocated(text: str, python_include: str, numpy_include: str) -> str:
    """Return the text of a CMake file with the build machine's include folders replaced."""
    text = _PYTHON_INCLUDE.sub(lambda _: python_include, text)
    return _NUMPY_INCLUDE.sub(lambda _: numpy_include, text)


def relocate_tree(share: Path, python_include: str, numpy_include: str) -> list[Path]:
    """Rewrite, in place, every .cmake file below `share` that names such a folder.

    Returns the files that changed. A second call changes none.
    """
    changed = []
    for path in sorted(share.rglob('*.cmake')):
        before = path.read_text(encoding='utf-8')
        after = relocated(before, python_include, numpy_include)
        if after != before:
            path.write_text(after, encoding='utf-8')
            changed.append(path)
    return changed


def main() -> int:
    """Relocate the wheels of the virtual environment whose interpreter runs this."""
    import numpy

    share = Path(sys.prefix, 'share')
    python_include = sysconfig.get_paths()['include']
    changed = relocate_tree(share, python_include, numpy.get_include())
    print(f'{len(changed)} CMake files of the ROS 2 wheels point at {python_include} now.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
