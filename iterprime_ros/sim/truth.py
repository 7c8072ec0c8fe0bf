"""The ground truth of a picture as plain JSON data, and the view that can be read from it."""

from dataclasses import asdict, fields
from typing import Any

import numpy as np

from iterprime_ros.sim.renderer import Picture
from iterprime_ros.sim.view import SeenObject, View, view_of


def truth_of(picture: Picture) -> dict[str, Any]:
    """Return the ground truth of a picture, ready for json.dumps.

    seed: seed of the scene.
    objects: for each object, the fields of SeenObject, `position`, (x, y, z) of its centre in the
        optical frame in metres, and `is_referable`.
    gaps: (n, n) distances between the footprints of every two objects, in metres.
    """
    scene, view = picture.scene, view_of(picture)
    return {
        'seed': scene.seed,
        'objects': [
            {
                **asdict(seen),
                'position': scene.camera.to_optical(item.centre).round(6).tolist(),
                'is_referable': seen.is_referable,
            }
            for item, seen in zip(scene.objects, view.objects, strict=True)
        ],
        'gaps': view.gaps.tolist(),
    }


def view_from_truth(truth: dict[str, Any]) -> View:
    """Return the view of a picture whose ground truth is `truth`."""
    names = [field.name for field in fields(SeenObject)]
    objects = (SeenObject(**{name: item[name] for name in names}) for item in truth['objects'])
    return View(tuple(objects), np.array(truth['gaps']))
