"""The simulated table: pictures of its scenes, and the depth that belongs to them."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.app.models import digest
from iterprime_ros.errors import MissingDependencyError
from iterprime_ros.geometry.pinhole import Pinhole

_REMEMBERED = 1000  # scenes whose picture is known again
_CURE = "pip install 'iterprime_ros[sim]'"


@dataclass(frozen=True)
class Measured:
    """What the simulated camera measured besides colour.

    seed: number of the scene.
    depth: (H, W) float32 in metres, registered to the image.
    pinhole: the calibration of the image.
    """

    seed: int
    depth: NDArray[np.float32]
    pinhole: Pinhole


class SimulatedTable:
    """Renders scenes by their number. Use it in the thread that created it.

    Raises MissingDependencyError without MuJoCo or an OpenGL that renders without a screen.
    """

    def __init__(self) -> None:
        try:
            from iterprime_ros.sim.gl import RenderingUnavailableError
            from iterprime_ros.sim.renderer import Renderer
            from iterprime_ros.sim.scene import sample_scene
        except ImportError as error:
            raise MissingDependencyError(
                f'The simulated table is left out, because {error.name} is not installed: {_CURE}.'
            ) from error
        try:
            self._renderer = Renderer()
        except RenderingUnavailableError as error:
            raise MissingDependencyError(f'The simulated table is left out: {error}') from error
        self._sample = sample_scene
        self._seeds: OrderedDict[str, int] = OrderedDict()

    def picture(self, seed: int) -> NDArray[np.uint8]:
        """Return the image of a scene, (480, 640, 3) uint8 RGB."""
        image = self._renderer.render(self._sample(seed)).rgb
        key = digest(image)
        self._seeds[key] = seed
        self._seeds.move_to_end(key)
        if len(self._seeds) > _REMEMBERED:
            self._seeds.popitem(last=False)
        return image

    def measured(self, image: NDArray[np.uint8]) -> Measured | None:
        """Return the depth of an image that `picture` returned; None for any other image."""
        seed = self._seeds.get(digest(image))
        if seed is None:
            return None
        rendered = self._renderer.render(self._sample(seed))
        return Measured(seed, rendered.depth, rendered.pinhole)
