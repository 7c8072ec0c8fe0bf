"""A referred object stays the same object while it or the camera moves.

The identity is of the object that was meant when the expression was said. A relation that holds no
longer ("the mug left of the plate", once the plate is moved) does not hand it to another object: it
told which one was meant, and is not checked again. What is checked are the object's own words.
"""

from dataclasses import dataclass

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
from iterprime_ros.tracking.arrays import Bool, Float, Grey
from iterprime_ros.tracking.known_objects import KnownObject, assigned, known_object
from iterprime_ros.tracking.mask_geometry import is_same_object
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
from iterprime_ros.weights import Placement

_SURE = 0.5  # confidence of a mask that is the object's
_SHARED = 0.3  # of the smaller of two masks; those that share more show the same
_PADDING = 0.2  # of the frame, on each side, where objects are searched
_MOST_OTHERS = 15
_BACKGROUND_POINTS = 200
_LEARN_EVERY = 5  # frames
_LIKELY = 0.35  # likeness to the target, from which it is found again
_DISPROVED = 0.3  # of the first chance of the own words, below which it is another object


@dataclass(eq=False)
class _Track:
    """What is known of a track.

    command: what was said.
    known: the objects that are carried, the target first.
    chance: that the own words describe the target, when it was said.
    grey: the frame before, reduced.
    size: (H, W) of the frames.
    age: frames since the first.
    doubts: verifications in a row that failed.
    """

    command: ParsedCommand
    known: list[KnownObject]
    chance: float
    grey: Grey
    size: tuple[int, ...]
    age: int = 0
    doubts: int = 0


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
        self._track: _Track | None = None

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
        command, masks = segmentation.command, _distinct_masks(segmentation)
        if command is None or not masks:
            raise InvalidSettingError(
                'Only an object that was found can be tracked, but the answer is '
                f'{segmentation.status.value}: {segmentation.text}'
            )
        if image.shape[:2] != masks[0].shape:
            raise InvalidImageError(
                f'The answer is about an image of {masks[0].shape}, not of {image.shape[:2]}.'
            )
        bins = colour_bins(image)
        pairs = [(mask, known_object(mask, bins)) for mask in masks]
        objects = [(mask, known) for mask, known in pairs if known is not None]
        carried = np.stack([mask for mask, _ in objects])
        frame = self._model.embed(image, depth, pinhole)
        _, chances = self._model.match_own_words(frame, command, carried)
        self._propagator.start(image, carried)
        self._track = _Track(
            command,
            [known for _, known in objects],
            float(chances[0]),
            reduced_grey(image),
            image.shape[:2],
        )
        return TrackedMask(masks[0], TrackState.TRACKING, 1.0, 0)

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
        track = self._track
        if track is None:
            raise InvalidSettingError('A track has to be started before its first step.')
        if image.shape != (*track.size, 3) or image.dtype != np.uint8:
            raise InvalidImageError(
                f'The frames of this track are {(*track.size, 3)} uint8, but this one is '
                f'{image.shape} {image.dtype}: start a new track.'
            )
        track.age += 1
        carried = self._propagator.step(image)
        self._note(track, image, carried)
        settings, target = self._settings, track.known[0]
        mask, confidence = carried.masks[0], float(carried.confidences[0])
        if target.unseen and target.unseen % settings.search_every == 0:
            found = self._search(track, image, carried)
            if found is not None:
                return TrackedMask(found[0], TrackState.TRACKING, found[1], track.age)
        if not target.unseen:
            return TrackedMask(mask, TrackState.TRACKING, confidence, track.age)
        if target.unseen < settings.lost_after:
            return TrackedMask(mask, TrackState.UNSURE, confidence, track.age)
        return TrackedMask(np.zeros_like(mask), TrackState.LOST, 0.0, track.age)

    def _note(self, track: _Track, image: NDArray[np.uint8], carried: Propagated) -> None:
        """Note which objects are seen, and where the others should be."""
        grey = reduced_grey(image)
        is_seen = carried.confidences >= _SURE
        bins = colour_bins(image) if track.age % _LEARN_EVERY == 0 else None
        camera = np.eye(3) if is_seen.all() else _camera_motion(track.grey, grey, track.size)
        for each, mask, seen in zip(track.known, carried.masks, is_seen, strict=True):
            if seen:
                each.see(mask, bins)
            else:
                each.miss(camera)
        track.grey = grey

    def _search(
        self, track: _Track, image: NDArray[np.uint8], carried: Propagated
    ) -> tuple[Bool, float] | None:
        """Return the target's mask and how likely it is; all objects that are found are carried."""
        window = padded_window(track.size, _PADDING)
        found = [window.paste_mask(mask) for mask in self._model.objects_in(window.cut(image))]
        seen = [k for k, each in enumerate(track.known) if not each.unseen]
        unseen = [k for k, each in enumerate(track.known) if each.unseen]
        free = [
            mask
            for mask in found
            if mask.any() and not any(is_same_object(mask, carried.masks[k], _SHARED) for k in seen)
        ]
        bins = colour_bins(image)
        shown = assigned([track.known[k] for k in unseen], free, bins)
        if not shown:
            return None
        masks, confidence = carried.masks.copy(), 0.0
        masks[unseen] = False
        for row, (column, likeness) in shown.items():
            if likeness < _LIKELY or (
                unseen[row] == 0 and not self._fits(track, image, free[column])
            ):
                continue
            masks[unseen[row]] = free[column]
            track.known[unseen[row]].see(free[column])
            if unseen[row] == 0:
                confidence = likeness
        self._propagator.start(image, masks)
        return (masks[0], confidence) if confidence else None

    def _fits(self, track: _Track, image: NDArray[np.uint8], mask: Bool) -> bool:
        """Return whether the own words still describe a mask about as well as at first."""
        frame = self._model.embed(image)
        _, chances = self._model.match_own_words(frame, track.command, mask[None])
        return bool(chances[0] >= _DISPROVED * track.chance)


def load_tracker(model: IteRPrimE, placement: Placement | None = None) -> Tracker:
    """Return the tracker that the profile of a pipeline names.

    placement: of the weights of its own, if it has any; the device of the pipeline by default.

    Raises InvalidSettingError, WeightsNotFoundError and WeightsMismatchError.
    """
    settings, placement = model.profile.tracking, placement or Placement(model.device)
    propagator = load_propagator(settings.kind, model.proposer, settings.weights, placement)
    return Tracker(model, propagator, settings)


def _distinct_masks(segmentation: Segmentation) -> list[Bool]:
    """Return the mask of the object that was found and those of other objects; none without one."""
    if segmentation.status not in (Status.FOUND, Status.FOUND_SEVERAL):
        return []
    masks: list[Bool] = []
    for each in segmentation.candidates:
        is_other = not any(is_same_object(each.mask, one, _SHARED) for one in masks)
        if each.mask.any() and is_other and len(masks) <= _MOST_OTHERS:
            masks.append(each.mask)
        elif not masks:
            return []
    return masks


def _camera_motion(before: Grey, now: Grey, size: tuple[int, ...]) -> Float:
    """Return the motion (3, 3) of the background, in pixels of frames of a size (H, W)."""
    points = points_in(np.ones(now.shape, dtype=bool), _BACKGROUND_POINTS)
    found = camera_motion(follow(before, now, points))
    return np.eye(3) if found is None else enlarged(found, np.array(size[::-1]) / now.shape[::-1])
