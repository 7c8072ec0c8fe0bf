"""The wheels' CMake files name this machine's headers afterwards, and nothing else changes."""

import ros_wheels

EXPORTED = """\
set_target_properties(a::b PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "/prefix/include/a;/opt/python/cp312-cp312/include/python3.12"
  INTERFACE_LINK_LIBRARIES "b::c;/opt/python/cp312-cp312/lib/libother.so"
)
list(APPEND x "/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/_core/include")
list(APPEND y "/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/core/include")
"""
RELOCATED = """\
set_target_properties(a::b PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "/prefix/include/a;/usr/include/\\g<0>py"
  INTERFACE_LINK_LIBRARIES "b::c;/opt/python/cp312-cp312/lib/libother.so"
)
list(APPEND x "/venv/numpy/include")
list(APPEND y "/venv/numpy/include")
"""


def test_only_the_header_folders_change():
    # A folder's name is text and no pattern, whatever is in it.
    assert (
        ros_wheels.relocated(EXPORTED, '/usr/include/\\g<0>py', '/venv/numpy/include') == RELOCATED
    )


def test_a_tree_is_rewritten_once(tmp_path):
    exported = tmp_path / 'a' / 'cmake' / 'aExport.cmake'
    untouched = tmp_path / 'b' / 'bExport.cmake'
    other = tmp_path / 'a' / 'package.xml'
    for path, text in ((exported, EXPORTED), (untouched, 'set(a b)\n'), (other, EXPORTED)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folders = ('/usr/include/\\g<0>py', '/venv/numpy/include')
    assert ros_wheels.relocate_tree(tmp_path, *folders) == [exported]
    assert exported.read_text() == RELOCATED
    assert untouched.read_text() == 'set(a b)\n'
    assert other.read_text() == EXPORTED
    assert ros_wheels.relocate_tree(tmp_path, *folders) == []
