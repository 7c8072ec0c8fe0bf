"""A referred object stays the same object while it or the camera moves.

The identity is of the object that was meant when the expression was said. A relation that holds no
longer ("the mug left of the plate", once the plate is moved) does not hand it to another object: it
told which one was meant, and is not checked again. What is checked now and then, and before an
object counts as found again, are its own words ("mug").

All objects of the first frame are known, so that none of them is taken for the target.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.backends import load_propagator
from iterprime_ros.errors import InvalidImageError, InvalidSettingError
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.profiles import TrackingSettings
from iterprime_ros.tracking.appearance import colour_bins
from iterprime_ros.tracking.arrays import Bool, Float, Grey
from iterprime_ros.tracking.known_objects import KnownObject, assigned, known_object
from iterprime_ros.tracking.mask_geometry import is_same_object, reduced_image, resized_mask
from iterprime_ros.tracking.points import camera_motion, enlarged, follow, points_in, reduced_grey
from iterprime_ros.tracking.propagation import Propagated, Propagator
from iterprime_ros.tracking.track import TrackedMask, TrackState
from iterprime_ros.tracking.windows import padded_window
from iterprime_ros.weights import Placement

_LONGEST_SIDE = 1024  # pixels, of the images that are worked on
_SURE = 0.5  # confidence of a mask that is the object's
_SHARED = 0.3  # of the smaller of two masks; those that share more show the same
_PADDING = 0.2  # of the frame, on each side, where objects are searched
_MOST_OBJECTS = 16
_BACKGROUND_POINTS = 200
_LEARN_EVERY = 5  # frames
_LIKELY = 0.35  # likeness to an object, from which it is found again
_DISPROVED = 0.3  # of the first chance of the own words, below which it is another object
_DOUBTS = 3  # verifications in a row that fail, from which it is


@dataclass(eq=False)
class _Track:
    """What is known of a track. Images and masks are of the size that is worked on.

    command: what was said.
    known: the objects that are carried, the target first.
    chance: that the own words describe the target, when it was said.
    grey: the frame before, reduced.
    frame: (H, W) of the frames.
    size: (H, W) of the images.
    age: frames since the first.
    doubts: verifications in a row that failed.
    """

    command: ParsedCommand
    known: list[KnownObject]
    chance: float
    grey: Grey
    frame: tuple[int, int]
    size: tuple[int, int]
    age: int = 0
    doubts: int = 0

    @property
    def target(self) -> KnownObject:
        return self.known[0]

    def answer(self, mask: Bool, state: TrackState, confidence: float) -> TrackedMask:
        return TrackedMask(resized_mask(mask, self.frame), state, confidence, self.age)


class Tracker:
    """Follows one object. Of several that an answer found ("the mugs") it is the first.

    model: answers, and finds the objects of a frame.
    propagator: carries masks from frame to frame.
    settings: how often it verifies and searches, and when the object is LOST.

    Its memory does not grow with the number of frames.
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
        depth, pinhole: as in IteRPrimE.embed, for the frames that are encoded for the matcher.

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
        small = reduced_image(image, _LONGEST_SIDE)
        size = small.shape[0], small.shape[1]
        bins, reduced = colour_bins(small), [resized_mask(mask, size) for mask in masks]
        pairs = [(mask, known_object(mask, bins)) for mask in reduced]
        objects = [(mask, known) for mask, known in pairs if known is not None]
        if pairs[0][1] is None:
            raise InvalidSettingError('The mask of the object has too few pixels to track it.')
        carried = np.stack([mask for mask, _ in objects])
        sensed = (depth, pinhole) if small is image else (None, None)
        frame = self._model.embed(small, *sensed)
        (chance,) = self._model.match_own_words(frame, command, carried[:1])
        self._propagator.start(small, carried)
        known, grey = [known for _, known in objects], reduced_grey(small)
        self._track = _Track(command, known, float(chance), grey, masks[0].shape, size)
        return TrackedMask(masks[0], TrackState.TRACKING, 1.0, 0)

    def step(
        self,
        image: NDArray[np.uint8],
        depth: NDArray[np.float32] | None = None,
        pinhole: Pinhole | None = None,
    ) -> TrackedMask:
        """Return the object in the next frame.

        image: (H, W, 3) uint8 RGB.
        depth, pinhole: as in IteRPrimE.embed, for the frames that are encoded for the matcher.

        Raises InvalidSettingError before the start, and InvalidImageError for a frame of another
        size or type than the first, after which the track can go on.
        """
        track = self._track
        if track is None:
            raise InvalidSettingError('A track has to be started before its first step.')
        if image.shape != (*track.frame, 3) or image.dtype != np.uint8:
            raise InvalidImageError(
                f'The frames of this track are {(*track.frame, 3)} uint8, but this one is '
                f'{image.shape} {image.dtype}: start a new track.'
            )
        track.age += 1
        small = reduced_image(image, _LONGEST_SIDE)
        carried = self._propagator.step(small)
        _note(track, small, carried)

        def embed() -> Frame:
            return self._model.embed(small, *((depth, pinhole) if small is image else (None, None)))

        settings, target = self._settings, track.target
        if target.unseen:
            if target.unseen % settings.search_every == 0:
                found = self._search(track, small, carried, embed)
                if found is not None:
                    return track.answer(found[0], TrackState.TRACKING, found[1])
        else:
            every = settings.search_every if track.doubts else settings.verify_every
            if track.age % every == 0:
                self._verify(track, small, carried, embed)
        mask, confidence = carried.masks[0], float(carried.confidences[0])
        if not target.unseen and not track.doubts:
            return track.answer(mask, TrackState.TRACKING, confidence)
        if target.unseen < settings.lost_after:
            return track.answer(mask, TrackState.UNSURE, confidence)
        return track.answer(np.zeros_like(mask), TrackState.LOST, 0.0)

    def _search(
        self,
        track: _Track,
        image: NDArray[np.uint8],
        carried: Propagated,
        embed: Callable[[], Frame],
    ) -> tuple[Bool, float] | None:
        """Return the target's mask and how likely it is; all objects that are found are carried."""
        window = padded_window(track.size, _PADDING)
        objects = self._model.objects_in(window.cut(image), track.command)
        seen = [k for k, each in enumerate(track.known) if not each.unseen]
        unseen = [k for k, each in enumerate(track.known) if each.unseen]
        # A mask that is carried without being sure competes with those that are found.
        unsure = [carried.masks[k] for k in unseen]
        free = [
            mask
            for mask in (*unsure, *map(window.paste_mask, objects))
            if mask.any() and not any(is_same_object(mask, carried.masks[k], _SHARED) for k in seen)
        ]
        shown = assigned([track.known[k] for k in unseen], free, colour_bins(image))
        found: dict[int, tuple[Bool, float]] = {}
        for row, (column, likeness) in sorted(shown.items(), key=lambda each: -each[1][1]):
            is_new = not any(is_same_object(free[column], m, _SHARED) for m, _ in found.values())
            if is_new and likeness >= _LIKELY:
                found[unseen[row]] = free[column], likeness
        if 0 in found and not self._fits(track, found[0][0], embed()):
            del found[0]
        if not found:
            return None
        masks = carried.masks.copy()
        masks[unseen] = False
        for k, (mask, _) in found.items():
            masks[k] = mask
            track.known[k].see(mask)
        self._propagator.start(image, masks)
        return found.get(0)

    def _verify(
        self,
        track: _Track,
        image: NDArray[np.uint8],
        carried: Propagated,
        embed: Callable[[], Frame],
    ) -> None:
        """Give the mask up as another object, once its own words did not fit several times."""
        mask = carried.masks[0]
        track.doubts = 0 if self._fits(track, mask, embed()) else track.doubts + 1
        if track.doubts < _DOUBTS:
            return
        masks = carried.masks.copy()
        other = known_object(mask, colour_bins(image))
        if other is not None and len(masks) < _MOST_OBJECTS:
            track.known.append(other)
            masks = np.concatenate([masks, mask[None]])
        masks[0] = False
        track.target.lose()
        track.doubts = 0
        self._propagator.start(image, masks)

    def _fits(self, track: _Track, mask: Bool, frame: Frame) -> bool:
        """Return whether the own words still describe a mask about as well as at first."""
        (chance,) = self._model.match_own_words(frame, track.command, mask[None])
        return bool(chance >= _DISPROVED * track.chance)


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
    found = segmentation.status in (Status.FOUND, Status.FOUND_SEVERAL)
    masks: list[Bool] = []
    for each in segmentation.candidates if found else ():
        is_other = not any(is_same_object(each.mask, one, _SHARED) for one in masks)
        if each.mask.any() and is_other and len(masks) < _MOST_OBJECTS:
            masks.append(each.mask)
        elif not masks:
            break
    return masks


def _note(track: _Track, image: NDArray[np.uint8], carried: Propagated) -> None:
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


def _camera_motion(before: Grey, now: Grey, size: tuple[int, int]) -> Float:
    """Return the motion (3, 3) of the background, in pixels of images of a size (H, W)."""
    points = points_in(np.ones(now.shape, dtype=bool), _BACKGROUND_POINTS)
    found = camera_motion(follow(before, now, points))
    return np.eye(3) if found is None else enlarged(found, np.array(size[::-1]) / now.shape[::-1])
