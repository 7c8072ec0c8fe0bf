"""The objects of a scene as the camera sees them: position, visibility and distances."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.sim.renderer import Picture
from iterprime_ros.sim.scene import Scene

MIN_VISIBLE_FRACTION = 0.6
MIN_IMAGE_FRACTION = 0.004


@dataclass(frozen=True)
class SeenObject:
    """One object in the camera's view.

    id: its value in an id image, from 1.
    kind, colour, size: its attributes, as in SceneObject.
    column: image column of its centre, from the image centre, in image heights (right is
        positive); independent of the size and the aspect ratio of the image.
    depth: depth of its centre along the optical axis, in metres.
    visible_fraction: its visible area over its whole (amodal) area, in [0, 1].
    image_fraction: its visible area over the area of the image, in [0, 1].
    right, away: where its vertical axis is from the camera, measured along the level ground, in
        metres: to the right, and away from the camera.
    box_side: its size, as in SceneObject, in metres.
    support: id of the object that it stands on; None for the table.
    """

    id: int
    kind: str
    colour: str
    size: str
    column: float
    depth: float
    visible_fraction: float
    image_fraction: float
    right: float
    away: float
    box_side: float
    support: int | None

    @property
    def is_referable(self) -> bool:
        """Whether it is visible enough to be the target or the anchor of an expression."""
        return (
            self.visible_fraction >= MIN_VISIBLE_FRACTION
            and self.image_fraction >= MIN_IMAGE_FRACTION
        )


@dataclass(frozen=True)
class View:
    """All objects of a scene in the camera's view.

    objects: the n objects; objects[k] has id k + 1.
    gaps: (n, n) distances between the footprints of every two objects, in metres.
    """

    objects: tuple[SeenObject, ...]
    gaps: NDArray[np.float64]


def view_of(picture: Picture) -> View:
    """Return the view that a picture was rendered from."""
    seen_areas = picture.seen_areas
    return view_of_scene(
        picture.scene,
        picture.pinhole,
        seen_areas / np.maximum(picture.whole_areas, 1),
        seen_areas / picture.ids.size,
    )


def view_of_scene(
    scene: Scene,
    pinhole: Pinhole,
    visible_fractions: NDArray[np.float64],
    image_fractions: NDArray[np.float64],
) -> View:
    """Return the view of a scene whose n objects are visible by the given fractions (n,)."""
    centres = scene.camera.to_optical(np.array([item.centre for item in scene.objects]))
    ground = scene.camera.to_ground(np.array([item.position for item in scene.objects]))
    columns = (pinhole.project(centres)[:, 0] - pinhole.cx) / pinhole.height
    return View(
        tuple(
            SeenObject(
                item.id,
                item.kind,
                item.colour,
                item.size,
                float(columns[k]),
                float(centres[k, 2]),
                float(visible_fractions[k]),
                float(image_fractions[k]),
                float(ground[k, 0]),
                float(ground[k, 1]),
                item.box_side,
                item.support,
            )
            for k, item in enumerate(scene.objects)
        ),
        scene.gaps,
    )
