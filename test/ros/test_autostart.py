"""A node that cannot start itself ends; Ctrl-C while it loads is no error."""

import pytest

from helpers.robots import PATIENCE

# The segment node, interrupted when the function argv[1] is called: MODULE:CLASS:NAME.
INTERRUPTED = """
import os, signal, sys
from importlib import import_module
from iterprime_ros.ros.entry_point import start

module, owner, name = sys.argv[1].split(':')
owner = getattr(import_module(module), owner) if owner else import_module(module)
called = getattr(owner, name)

def press(*arguments, **named):
    setattr(owner, name, called)
    os.kill(os.getpid(), signal.SIGINT)
    return called(*arguments, **named)

setattr(owner, name, press)
arguments = ['segment', '--ros-args', '-p', 'autostart:=true']
sys.exit(start('iterprime_ros.ros.segment_node', arguments))
"""


def test_a_wrong_device_ends_a_node_that_starts_itself(start_node):
    process = start_node('segment', autostart='true', offline='true', device='cuda:7')
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    assert 'There is no device "cuda:7" here' in output
    assert 'Traceback' not in output


def test_missing_weights_end_a_node_that_starts_itself(start_node, tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text(f'base: tabletop\nmatcher: {{weights: {tmp_path}/nowhere}}\n')
    process = start_node('segment', autostart='true', offline='true', profile=path)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    assert f'{tmp_path}/nowhere' in output
    assert 'Traceback' not in output


@pytest.mark.parametrize(
    'called',
    [
        'iterprime_ros.ros.segment_node::load_in_thread',
        'iterprime_ros.pipeline:IteRPrimE:from_profile',
    ],
)
def test_ctrl_c_while_it_loads_is_no_error(start_process, called):
    process = start_process('-c', INTERRUPTED, called)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert 'ERROR' not in output
    assert 'Failed' not in output
    assert 'Traceback' not in output
