"""The node that starts itself: it ends where that fails, and with Ctrl-C at any moment."""

import pytest

from helpers.robots import PATIENCE

AT_CALL = """
import os, signal, sys
from importlib import import_module
from iterprime_ros.ros.entry_point import start

arguments = ['segment', '--ros-args', '-p', 'autostart:=true']

module, owner, name = sys.argv[1].split(':')
owner = getattr(import_module(module), owner) if owner else import_module(module)
called = getattr(owner, name)

def press(*arguments, **named):
    setattr(owner, name, called)
    os.kill(os.getpid(), signal.SIGINT)
    return called(*arguments, **named)

setattr(owner, name, press)
sys.exit(start('iterprime_ros.ros.segment_node', arguments))
"""


def test_a_wrong_device_ends_it(start_node):
    process = start_node('segment', autostart='true', offline='true', device='cuda:7')
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    assert 'There is no device "cuda:7" here' in output
    assert 'Traceback' not in output


def test_missing_weights_end_it(start_node, tmp_path):
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
        'iterprime_ros.ros.segment_node::run',
        'iterprime_ros.ros.segment_node::declared_values',
        'iterprime_ros.ros.segment_node::load_in_thread',
        'iterprime_ros.pipeline:IteRPrimE:from_profile',
        'iterprime_ros.ros.camera_topics:CameraTopics:subscribe',
    ],
)
def test_ctrl_c_ends_it_while_it_starts(start_process, called):
    process = start_process('-c', AT_CALL, called)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert 'Traceback' not in output
    assert 'ERROR' not in output
    assert 'Failed' not in output
