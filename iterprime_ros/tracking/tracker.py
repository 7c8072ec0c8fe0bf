"""A referred object stays the same object while it or the camera moves.

The identity is of the object that was meant when the expression was said. A relation that holds no
longer ("the mug left of the plate", once the plate is moved) does not hand it to another object: it
told which one was meant, and is not checked again. What is checked are the object's own words.
"""

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.backends import load_propagator
from iterprime_ros.errors import InvalidImageError, InvalidSettingError
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import TrackingSettings
from iterprime_ros.tracking.appearance import colour_bins
from iterprime_ros.tracking.arrays import Bool, Float
from iterprime_ros.tracking.known_objects import assigned, known_object
from iterprime_ros.tracking.points import (
    camera_motion,
    enlarged,
    follow,
    points_in,
    reduced_grey,
)
from iterprime_ros.tracking.propagation import Propagated, Propagator
from iterprime_ros.tracking.track import TrackedMask, TrackState
from iterprime_ros.tracking.windows import padded_window
from iterprime_ros.weights import ON_CPU, Placement

_SURE = 0.5  # confidence of a mask that is the object's
_SHARED = 0.3  # of the smaller of two masks; those that share more show the same
_PADDING = 0.2  # of the frame, on each side, where objects are searched
_MOST_OTHERS = 15
_VERIFIED = 0.3  # of the first chance of the own words, below which it is another object


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
        masks = [mask]
        for each in segmentation.candidates[1:]:
            if len(masks) <= _MOST_OTHERS and not any(_is_same(each.mask, one) for one in masks):
                masks.append(each.mask)
        self._command: ParsedCommand = segmentation.command
        self._propagator.start(image, np.stack(masks))
        bins = colour_bins(image)
        self._known = [known_object(each, bins) for each in masks]
        self._grey = reduced_grey(image)
        self._age = 0
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
        bins = colour_bins(image)
        self._note(image, carried, bins)
        target = self._known[0]
        if target.unseen and target.unseen % self._settings.search_every == 0:
            found = self._search(image, carried, bins)
            if found is not None:
                return TrackedMask(found, TrackState.TRACKING, 1.0, self._age)
        mask, confidence = carried.masks[0], float(carried.confidences[0])
        if confidence >= _SURE:
            return TrackedMask(mask, TrackState.TRACKING, confidence, self._age)
        if target.unseen < self._settings.lost_after:
            return TrackedMask(mask, TrackState.UNSURE, confidence, self._age)
        return TrackedMask(np.zeros_like(mask), TrackState.LOST, 0.0, self._age)

    def _note(self, image: NDArray[np.uint8], carried: Propagated, bins) -> None:
        grey = reduced_grey(image)
        camera = None
        for each, mask, confidence in zip(
            self._known, carried.masks, carried.confidences, strict=True
        ):
            if confidence >= _SURE:
                each.see(mask, bins)
            else:
                if camera is None:
                    camera = self._camera(grey, image.shape[:2])
                each.miss(camera)
        self._grey = grey

    def _camera(self, grey, size) -> Float:
        points = points_in(np.ones(grey.shape, dtype=bool), 200)
        found = camera_motion(follow(self._grey, grey, points))
        if found is None:
            return np.eye(3)
        return enlarged(found, np.array(size[::-1]) / grey.shape[::-1])

    def _search(self, image: NDArray[np.uint8], carried: Propagated, bins) -> Bool | None:
        """Return the target's mask if it is found; every object that is found is carried."""
        window = padded_window(image.shape[:2], _PADDING)
        masks = self._model.objects_in(window.cut(image))
        masks = (
            np.stack([window.paste_mask(mask) for mask in masks])
            if len(masks)
            else carried.masks[:0]
        )
        masks = masks[masks.any((1, 2))]
        frame = self._model.embed(image)
        masks, chances = self._model.match_own_words(frame, self._command, masks)
        seen = [k for k, each in enumerate(self._known) if not each.unseen]
        free = [
            n
            for n, mask in enumerate(masks)
            if not any(_is_same(mask, carried.masks[k]) for k in seen)
        ]
        unseen = [k for k, each in enumerate(self._known) if each.unseen]
        found = assigned([self._known[k] for k in unseen], masks[free], chances[free], bins)
        if not found:
            return None
        now = carried.masks.copy()
        for row, column in found.items():
            k = unseen[row]
            now[k] = masks[free[column]]
            self._known[k].see(now[k], bins)
        self._propagator.start(image, now)
        return now[0] if 0 in found else None


def load_tracker(model: IteRPrimE, placement: Placement = ON_CPU) -> Tracker:
    """Return the tracker that the profile of a pipeline names.

    Raises InvalidSettingError, WeightsNotFoundError and WeightsMismatchError.
    """
    settings = model.profile.tracking
    propagator = load_propagator(settings.kind, model.proposer, settings.weights, placement)
    return Tracker(model, propagator, settings)


def _is_same(mask: Bool, other: Bool) -> bool:
    shared = np.count_nonzero(mask & other)
    return bool(shared > _SHARED * min(np.count_nonzero(mask), np.count_nonzero(other)))
