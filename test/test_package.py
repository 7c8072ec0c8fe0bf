"""The package as others meet it: built by colcon, imported, and kept in its layers."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import iterprime_ros

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'iterprime_ros'

# The rosdep key of what is imported under another name; None where rosdep has no key.
ROSDEP_KEYS = {
    'cv2': 'python3-opencv',
    'fastapi': None,  # of the extra `app`, as gradio, starlette and uvicorn
    'gradio': None,
    'griffe': None,  # of the extra `docs`, as latex2mathml and mkdocs
    'huggingface_hub': None,  # comes with transformers, as the two below
    'hypothesis': 'python3-hypothesis',
    'latex2mathml': None,
    'lavis': None,  # optional, in an environment of its own
    'matplotlib': 'python3-matplotlib',
    'mkdocs': None,
    'moveit_msgs': None,  # of an example, for those who have MoveIt
    'mujoco': 'python3-mujoco-pip',
    'numpy': 'python3-numpy',
    'PIL': 'python3-pil',
    'psutil': 'python3-psutil',
    'pyarrow': None,  # of the extra `evaluation`, as the one below
    'pycocotools': None,
    'pydantic': 'python3-pydantic',
    'pytest': 'python3-pytest',
    'ray': None,  # of the extra of this name
    'rerun': None,  # of the extra `look`
    'rosbags': None,  # of the extra `bag`
    'safetensors': None,
    'scipy': 'python3-scipy',
    'segment_anything': None,  # optional
    'shapely': 'python3-shapely',
    'skimage': 'python3-skimage',
    'spacy': None,
    'starlette': None,
    'tokenizers': None,
    'torch': 'python3-torch',
    'tqdm': 'python3-tqdm',
    'trajectory_msgs': None,  # comes with moveit_msgs
    'transformers': 'python3-transformers-pip',
    'uvicorn': None,
    'yaml': 'python3-yaml',
}

IMPORTED = """
import sys
sys.modules['torch'] = None
import iterprime_ros.msg
from iterprime_ros.action import Segment
from iterprime_ros.msg import Candidate, ReferredObject
import iterprime_ros.cli
print(iterprime_ros.msg.__file__)
print(iterprime_ros.__file__)
"""


@pytest.fixture(scope='module')
def workspace(tmp_path_factory):
    """A colcon workspace with the sources of this package and nothing that make has made."""
    workspace = tmp_path_factory.mktemp('workspace')
    made = shutil.ignore_patterns(
        '.*', 'build', 'install', 'log', 'out', '*.egg-info', '__pycache__'
    )
    shutil.copytree(ROOT, workspace / 'src' / 'iterprime_ros', ignore=made)
    return workspace


def in_shell(workspace, script):
    path = os.environ.get('PYTHONPATH', '').split(os.pathsep)
    outside = os.pathsep.join(entry for entry in path if entry and Path(entry) != ROOT)
    environment = {**os.environ, 'PYTHONPATH': outside}
    return subprocess.run(
        ['bash', '-c', script],
        cwd=workspace,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize('option', ['', '--symlink-install'], ids=['plain', 'symlink'])
def test_colcon_builds_it_and_a_sourced_shell_uses_it(workspace, option):
    install = 'install_symlink' if option else 'install'
    built = in_shell(
        workspace,
        f'colcon build {option} --build-base build_{install} --install-base {install} '
        '--cmake-args -DBUILD_TESTING=OFF',
    )
    assert built.returncode == 0, built.stdout + built.stderr
    prefix = workspace / install
    source = workspace / 'src' / 'iterprime_ros'

    for first_on_the_path in ('', f'export PYTHONPATH={source}:$PYTHONPATH;'):
        used = in_shell(
            workspace, f'. {install}/setup.bash; {first_on_the_path} python -c "{IMPORTED}"'
        )
        assert used.returncode == 0, used.stderr
        messages, package = used.stdout.splitlines()
        assert messages.startswith(str(prefix))
        assert package.startswith(str(source if first_on_the_path else prefix))

    share = prefix / 'iterprime_ros' / 'share' / 'iterprime_ros'
    assert (share / 'launch' / 'demo.launch.py').is_file()
    executables = prefix / 'iterprime_ros' / 'lib' / 'iterprime_ros'
    said = in_shell(workspace, f'. {install}/setup.bash; {executables}/iterprime --version')
    assert said.stdout == f'iterprime {iterprime_ros.__version__}\n', said.stderr
    assert os.access(executables / 'sim_camera', os.X_OK)


PYTEST_CONFIG = """
function(ament_add_pytest_test name path)
  file(WRITE ${CMAKE_BINARY_DIR}/registered ${path})
endfunction()
"""


@pytest.mark.parametrize(
    ('options', 'registered'),
    [
        ('-DBUILD_TESTING=ON -Dament_cmake_pytest_DIR=found', 'test'),
        ('-DBUILD_TESTING=OFF -Dament_cmake_pytest_DIR=found', None),
        ('-DBUILD_TESTING=ON -DCMAKE_DISABLE_FIND_PACKAGE_ament_cmake_pytest=ON', None),
    ],
    ids=['found', 'no testing', 'not found'],
)
def test_colcon_test_runs_pytest_where_it_can(workspace, tmp_path, options, registered):
    found = tmp_path / 'found'
    found.mkdir()
    (found / 'ament_cmake_pytestConfig.cmake').write_text(PYTEST_CONFIG)
    options = options.replace('=found', f'={found}')
    configured = in_shell(workspace, f'cmake -S src/iterprime_ros -B {tmp_path}/build {options}')
    assert configured.returncode == 0, configured.stdout + configured.stderr
    file = tmp_path / 'build' / 'registered'
    assert (file.read_text() if file.exists() else None) == registered


def test_importing_the_package_brings_nothing_heavy():
    heavy = 'torch', 'numpy', 'matplotlib', 'mujoco', 'transformers', 'rclpy'
    script = f'import sys, iterprime_ros; print([name for name in {heavy} if name in sys.modules])'
    answer = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, check=True
    )
    assert answer.stdout == '[]\n'


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_only_ros_and_demo_import_ros():
    ros = {'rclpy', 'sensor_msgs', 'std_msgs', 'std_srvs', 'geometry_msgs', 'rcl_interfaces'}
    for path in PACKAGE.rglob('*.py'):
        found = {name.split('.')[0] for name in imports_of(path)} & ros
        folder = path.relative_to(PACKAGE).parts[0]
        assert not found or folder in ('ros', 'demo'), (path, found)


def test_one_version_everywhere():
    version = iterprime_ros.__version__
    assert f'<version>{version}</version>' in (ROOT / 'package.xml').read_text()
    assert f"version='{version}'" in (ROOT / 'setup.py').read_text()
    assert f'\n{version} (' in (ROOT / 'CHANGELOG.rst').read_text()


def dependencies(*tags):
    listed = (ROOT / 'package.xml').read_text()
    return {name for tag in tags for name in re.findall(f'<{tag}>(.*)</{tag}>', listed)}


def keys_imported_in(*folders):
    """Return the names in package.xml of what the files of folders import from elsewhere."""
    files = [file for folder in folders for file in (ROOT / folder).rglob('*.py')]
    names = {name.split('.')[0] for file in files for name in imports_of(file) if name}
    own = {'iterprime_ros', 'helpers', *(file.stem for file in (ROOT / 'tools').glob('*.py'))}
    foreign = names - own - sys.stdlib_module_names
    return {ROSDEP_KEYS.get(name, name) for name in foreign} - {None}


def test_package_xml_names_what_is_imported():
    needed = keys_imported_in('iterprime_ros', 'launch')
    assert {'rclpy', 'launch_ros', 'diagnostic_msgs', 'python3-torch'} <= needed
    assert not needed - dependencies('depend', 'exec_depend')
    tested = needed | keys_imported_in('test', 'examples', 'tools')
    assert not tested - dependencies('depend', 'exec_depend', 'test_depend')


def test_package_xml_and_cmake_name_the_same_interface_packages():
    listed = (ROOT / 'CMakeLists.txt').read_text()
    for name in ('action_msgs', 'builtin_interfaces', 'geometry_msgs', 'sensor_msgs', 'std_msgs'):
        assert f'<depend>{name}</depend>' in (ROOT / 'package.xml').read_text()
        assert f'find_package({name} REQUIRED)' in listed


def test_the_workflow_runs_the_same_script_as_contributors():
    workflow = yaml.safe_load((ROOT / '.github' / 'workflows' / 'ci.yml').read_text())
    assert workflow['jobs']['test']['steps'][-1]['run'] == 'bash .ci/run'
    assert 'make test' in (ROOT / '.ci' / 'run').read_text()


def test_the_quality_declaration_lists_the_dependencies_on_ros():
    declared = (ROOT / 'QUALITY_DECLARATION.md').read_text()
    for name in dependencies('depend', 'exec_depend'):
        assert name.startswith('python3-') or f'`{name}`' in declared, name
    links = re.findall(r'\]\(([^)#]+)\)', declared)
    assert all((ROOT / link).exists() for link in links if not link.startswith('https:'))
