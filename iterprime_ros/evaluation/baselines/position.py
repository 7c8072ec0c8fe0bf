"""A floor for other results: the object nearest to the place in the image that a word names.

Nothing is matched: what the object is, and what it is related to, does not count.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Candidate, Segmentation, Status, resized
from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.evaluation.frame_objects import objects_in
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.weights import Placement

# (x, y), shares of the image's width and height: (0, 0) is top left. NaN: anywhere along that axis.
Point = tuple[float, float]

_MIDDLE = frozenset({'middle', 'center', 'centre', 'central'})
_X = {'left': 0.0, 'leftmost': 0.0, 'lefthand': 0.0} | dict.fromkeys(
    ('right', 'rightmost', 'righthand'), 1.0
)
_Y = dict.fromkeys(('top', 'topmost', 'up', 'upper', 'uppermost', 'above'), 0.0) | dict.fromkeys(
    ('bottom', 'bottommost', 'down', 'lower', 'lowermost', 'below'), 1.0
)


class PositionBaseline:
    """Answers every command with the object nearest to the position that its words name.

    model: its proposer finds the objects, its parser the expression in a command.
    """

    def __init__(self, model: IteRPrimE) -> None:
        self._model = model

    def embed(self, _image: NDArray[np.uint8], frame: Frame) -> Frame:
        """Return the frame of the model, which has the objects."""
        return frame

    def segment_many(self, frame: Frame, commands: Sequence[str]) -> list[Segmentation]:
        """Return one answer for each command, in order: NOT_FOUND only where there is no object."""
        objects = objects_in(self._model, frame)
        masks = objects.masks.cpu().numpy()
        predicted = objects.predicted_iou.cpu().numpy()
        places = centroids(masks)
        answers = []
        for command in commands:
            chosen = nearest(places, position(self._expression(command)))
            answers.append(_answer(frame, masks, predicted, chosen))
        return answers

    def _expression(self, command: str) -> str:
        """Return the expression of a command ("pick up" names no position), or else all of it."""
        try:
            return self._model.parser.parse(command).expression
        except InvalidCommandError:
            return command


def load_position(model: IteRPrimE, _dataset: str, _placement: Placement) -> PositionBaseline:
    """Return the baseline over the objects that a model finds."""
    return PositionBaseline(model)


def position(expression: str) -> Point:
    """Return the position that the words of an expression name.

    The first word for a side decides each axis; "left" leaves y open. "middle", or no such word at
    all, is the middle along what is open.
    """
    words = re.findall('[a-z]+', expression.lower())
    x, y = (next((each[word] for word in words if word in each), None) for each in (_X, _Y))
    is_middle = (x is None and y is None) or not _MIDDLE.isdisjoint(words)
    rest = 0.5 if is_middle else float('nan')
    return rest if x is None else x, rest if y is None else y


def centroids(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the centroids (M, 2) of masks (M, H, W), as Points; NaN for a mask without pixels."""
    height, width = masks.shape[1:]
    rows, columns = masks.sum(axis=2), masks.sum(axis=1)
    areas = rows.sum(axis=1)
    x = columns @ (np.arange(width) + 0.5) / width
    y = rows @ (np.arange(height) + 0.5) / height
    sums = np.stack([x, y], axis=1)
    return np.divide(sums, areas[:, None], out=np.full_like(sums, np.nan), where=areas[:, None] > 0)


def nearest(places: NDArray[np.float64], point: Point) -> int | None:
    """Return the number of the centroid (M, 2) that is nearest to a point; None if all are NaN."""
    offsets = np.where(np.isnan(point), 0 * places, places - point)
    distances = np.hypot(*offsets.T)
    return None if np.isnan(distances).all() else int(np.nanargmin(distances))


def _answer(
    frame: Frame, masks: NDArray[np.bool_], predicted: NDArray[np.float32], chosen: int | None
) -> Segmentation:
    nan = float('nan')
    heatmap = np.zeros(frame.size, np.float32)
    if chosen is None:
        text, mask = 'There is no object.', np.zeros(frame.size, bool)
        answer = Segmentation(Status.NOT_FOUND, text, None, mask, heatmap, nan)
    else:
        mask = masks[chosen]
        answer = Segmentation(
            Status.FOUND,
            'Found the nearest object to the position that is named.',
            None,
            mask,
            heatmap,
            nan,
            candidates=(Candidate(mask, nan, nan, float(predicted[chosen])),),
            instance_count=1,
        )
    return answer if frame.size == frame.image_size else resized(answer, frame.image_size)
