"""Three rendered scenes, shared by the tests of training."""

import pytest

from iterprime_ros.training import scenes
from iterprime_ros.training.scenes import RenderedScenes


@pytest.fixture(scope='session')
def rendered(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, 'SCENES_PER_FILE', 3)
        yield RenderedScenes(tmp_path_factory.mktemp('scenes'), 3)
