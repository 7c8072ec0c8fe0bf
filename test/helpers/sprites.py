"""Videos of cut-outs: the objects of a rendered scene, each moved by whole pixels."""

from dataclasses import replace

import numpy as np


class Sprites:
    """The objects of a scene on its empty table.

    background: (H, W, 3) uint8, the scene without objects.
    rgb, ids: (H, W, 3) uint8 and (H, W) int, the scene.
    """

    def __init__(self, renderer, scene):
        picture = renderer.render(scene)
        self.background = renderer.render(replace(scene, objects=())).rgb
        self.rgb, self.ids = picture.rgb, picture.ids

    def frame(self, shifts, copies=()):
        """Return an image (H, W, 3) and its ids (H, W).

        shifts: for ids of objects by how many pixels (x, y) they are moved; others stay.
        copies: ids of objects and (x, y) by which copies of them are moved; their ids are 100,
            101 and so on. They are in front of all objects.
        """
        image, ids = self.background.copy(), np.zeros_like(self.ids)
        for number in np.unique(self.ids[self.ids > 0]).tolist():
            self._paste(image, ids, number, number, shifts.get(number, (0, 0)))
        for k, (number, shift) in enumerate(copies):
            self._paste(image, ids, number, 100 + k, shift)
        return image, ids

    def _paste(self, image, ids, number, name, shift):
        rows, columns = np.nonzero(self.ids == number)
        there = rows + round(shift[1]), columns + round(shift[0])
        inside = (
            (there[0] >= 0) & (there[0] < len(ids)) & (there[1] >= 0) & (there[1] < ids.shape[1])
        )
        image[there[0][inside], there[1][inside]] = self.rgb[rows[inside], columns[inside]]
        ids[there[0][inside], there[1][inside]] = name
