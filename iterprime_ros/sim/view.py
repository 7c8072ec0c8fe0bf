"""Where the objects of a scene are as the camera sees them: what expressions speak of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.sim.renderer import Picture

MIN_VISIBLE_FRACTION = 0.6
MIN_IMAGE_FRACTION = 0.004


@dataclass(frozen=True)
class SeenObject:
    """One object in the camera's view.

    column: image column of its centre, in image heights right of the image's middle, so that it
    does not depend on the size or the aspect ratio of the image. depth: of its centre, in metres
    along the optical axis. visible_fraction: of its pixels, how many no other object hides.
    image_fraction: of the image's pixels, how many show it.
    """

    id: int
    kind: str
    colour: str
    size: str
    column: float
    depth: float
    visible_fraction: float
    image_fraction: float

    @property
    def is_referable(self) -> bool:
        """Whether enough of it is seen for an expression to mean it."""
        return (
            self.visible_fraction >= MIN_VISIBLE_FRACTION
            and self.image_fraction >= MIN_IMAGE_FRACTION
        )


@dataclass(frozen=True)
class View:
    """The objects of a scene in the camera's view; gaps (n, n): metres between their footprints."""

    objects: tuple[SeenObject, ...]
    gaps: NDArray[np.float64]


def view_of(picture: Picture) -> View:
    """Return where the objects of a picture are; objects[k] has id k + 1."""
    scene, intrinsics = picture.scene, picture.intrinsics
    centres = scene.camera.to_optical(np.array([item.centre for item in scene.objects]))
    columns = (intrinsics.project(centres)[:, 0] - intrinsics.cx) / intrinsics.height
    seen, whole = picture.seen_areas, picture.whole_areas
    visible = seen / np.maximum(whole, 1)
    in_image = seen / picture.ids.size
    return View(
        tuple(
            SeenObject(
                item.id,
                item.kind,
                item.colour,
                item.size,
                float(columns[k]),
                float(centres[k, 2]),
                float(visible[k]),
                float(in_image[k]),
            )
            for k, item in enumerate(scene.objects)
        ),
        scene.gaps,
    )
