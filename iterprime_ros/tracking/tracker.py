"""A referred object stays the same object while it or the camera moves.

The identity is of the object that was meant when the expression was said. A relation that holds no
longer ("the mug left of the plate", once the plate is moved) does not hand it to another object: it
told which one was meant, and is not checked again. What is checked is the object's own words.
"""

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.backends import load_propagator
from iterprime_ros.errors import InvalidImageError, InvalidSettingError
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import TrackingSettings
from iterprime_ros.tracking.propagation import Propagator
from iterprime_ros.tracking.track import TrackedMask, TrackState
from iterprime_ros.weights import ON_CPU, Placement

_SURE = 0.5  # confidence of a mask that is the object's


class Tracker:
    """Follows one object. Of several that an answer found ("the mugs") it is the first.

    model: answers, and finds the objects of a frame.
    propagator: carries masks from frame to frame.
    settings: how often it verifies and searches, and when the object is LOST.
    """

    def __init__(
        self, model: IteRPrimE, propagator: Propagator, settings: TrackingSettings
    ) -> None:
        self._model, self._propagator, self._settings = model, propagator, settings
        self._age = 0
        self._unseen = 0
        self._size: tuple[int, int] | None = None

    def start(
        self,
        image: NDArray[np.uint8],
        segmentation: Segmentation,
        depth: NDArray[np.float32] | None = None,
        pinhole: Pinhole | None = None,
    ) -> TrackedMask:
        """Follow the object of an answer from now on, and forget the one before.

        image: (H, W, 3) uint8 RGB, which was asked about.
        segmentation: the answer, FOUND or FOUND_SEVERAL.
        depth: as in IteRPrimE.embed.
        pinhole: as in IteRPrimE.embed.

        Raises InvalidSettingError for an answer that names no one object, and InvalidImageError
        for an image of another size than its masks.
        """
        if segmentation.status not in (Status.FOUND, Status.FOUND_SEVERAL):
            raise InvalidSettingError(
                f'Only an object that was found can be tracked, but the answer is '
                f'{segmentation.status.value}: {segmentation.text}'
            )
        mask = segmentation.instances[0].mask
        if not mask.any():
            raise InvalidSettingError('An object with an empty mask cannot be tracked.')
        if image.shape[:2] != mask.shape:
            raise InvalidImageError(
                f'The answer is about an image of {mask.shape}, not of {image.shape[:2]}.'
            )
        others = [each.mask for each in segmentation.candidates[1:]]
        self._propagator.start(image, np.stack([mask, *others]))
        self._age = self._unseen = 0
        self._size = mask.shape
        return TrackedMask(mask, TrackState.TRACKING, 1.0, 0)

    def step(
        self,
        image: NDArray[np.uint8],
        depth: NDArray[np.float32] | None = None,
        pinhole: Pinhole | None = None,
    ) -> TrackedMask:
        """Return the object in the next frame.

        Raises InvalidSettingError before the start, and InvalidImageError for a frame of another
        size or type than the first.
        """
        if self._size is None:
            raise InvalidSettingError('A track has to be started before its first step.')
        if image.shape != (*self._size, 3) or image.dtype != np.uint8:
            raise InvalidImageError(
                f'The frames of this track are {(*self._size, 3)} uint8, but this one is '
                f'{image.shape} {image.dtype}: start a new track.'
            )
        self._age += 1
        carried = self._propagator.step(image)
        mask, confidence = carried.masks[0], float(carried.confidences[0])
        if confidence >= _SURE:
            self._unseen = 0
            return TrackedMask(mask, TrackState.TRACKING, confidence, self._age)
        self._unseen += 1
        if self._unseen < self._settings.lost_after:
            return TrackedMask(mask, TrackState.UNSURE, confidence, self._age)
        return TrackedMask(np.zeros_like(mask), TrackState.LOST, 0.0, self._age)


def load_tracker(model: IteRPrimE, placement: Placement = ON_CPU) -> Tracker:
    """Return the tracker that the profile of a pipeline names.

    Raises InvalidSettingError, WeightsNotFoundError and WeightsMismatchError.
    """
    settings = model.profile.tracking
    propagator = load_propagator(settings.kind, model.proposer, settings.weights, placement)
    return Tracker(model, propagator, settings)
