import pytest

from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.viewer.answers import log_answer
from iterprime_ros.viewer.recorder import Recorder

COMMANDS = ('pick up the mug left of the blue cube', 'all the mugs', 'the green ball')


@pytest.fixture(scope='session')
def table():
    """An RGB-D picture that has a relation, several mugs, and no ball."""
    with Renderer(320, 240) as renderer:
        return renderer.render(sample_scene(16))


@pytest.fixture(scope='session')
def answered(table):
    """Commands about it with their answers: one found, several, none."""
    model = IteRPrimE.from_profile('tabletop', 'cpu', offline=True)
    frame = model.embed(table.rgb, table.depth, table.pinhole)
    return list(zip(COMMANDS, model.segment_many(frame, COMMANDS), strict=True))


@pytest.fixture(scope='session')
def log_all(table, answered):
    """Log all answers to a recorder, one after the other."""

    def log(recorder: Recorder):
        for n, (command, answer) in enumerate(answered):
            recorder.at(n)
            log_answer(recorder, table.rgb, command, answer, table.depth, table.pinhole)

    return log
