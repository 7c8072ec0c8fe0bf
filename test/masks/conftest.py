import sys
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
import torch

# What segment-anything takes from torchvision for its own resizing and its grid of prompts. The
# networks, which are all that is used here, need none of it.
UNUSED_NAMES = {
    'torchvision.transforms.functional': ('resize', 'to_pil_image'),
    'torchvision.ops.boxes': ('batched_nms', 'box_area'),
}


@pytest.fixture(scope='session')
def segment_anything():
    """The package, also where there is no torchvision or one that does not fit the torch."""
    with pytest.MonkeyPatch.context() as patch:
        try:
            import_module('torchvision.transforms.functional')
        except (ImportError, RuntimeError):
            for module, names in UNUSED_NAMES.items():
                patch.setitem(sys.modules, module, SimpleNamespace(**dict.fromkeys(names)))
        import segment_anything

        return segment_anything


@pytest.fixture(autouse=True, scope='session')
def _one_thread():
    """The pictures are small: threads would cost more than they bring."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_image():
    """Return a function (height, width) -> a smooth random picture (3, H, W) uint8."""

    def make(height, width, seed=0):
        rng = np.random.default_rng(seed)
        coarse = torch.from_numpy(rng.integers(0, 256, (1, 3, 9, 7))).float()
        picture = torch.nn.functional.interpolate(coarse, (height, width), mode='bilinear')
        noise = torch.from_numpy(rng.normal(0, 12, (3, height, width)))
        return (picture[0] + noise).clamp(0, 255).to(torch.uint8)

    return make
