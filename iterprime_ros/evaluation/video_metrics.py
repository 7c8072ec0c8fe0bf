"""Metrics of following an object through a clip, of one frame and of all its frames.

J and F of a frame are those of DAVIS (Perazzi et al., CVPR 2016), as
davisvideochallenge/davis2017-evaluation:davis2017/metrics.py computes them and
henghuiding/MeViS:tools/metrics.py copies them. A clip has their means over its frames, a data set
the means over its clips, and J&F is the mean of both. The two differ in what they are given:

- DAVIS semi-supervised (davis2017/evaluation.py) leaves out the first frame, whose mask is given,
  and the last one. MeViS (tools/eval_mevis.py), DAVIS unsupervised, by which Ref-DAVIS17 is scored
  (wjn922/ReferFormer:eval_davis.py), and this package take all frames: no mask is given here.
- DAVIS unsupervised leaves out pixels that are marked void (255) and assigns the masks of a clip to
  the objects that they fit best, whatever they were asked for. Here an answer is compared with the
  object that its expression means; void pixels are taken away from both masks before.
- MeViS takes several objects of an expression as one mask, as here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

# Bernardin and Stiefelhagen (EURASIP JIVP 2008, article 246309) leave the threshold to the task;
# 0.5 is that of JonathonLuiten/TrackEval:trackeval/metrics/clear.py.
SAME = 0.5  # IoU of a mask and an object from which the mask lies on it
GONE, BACK = 0.05, 0.25  # of the area at first, below which a target is gone, and from which back
BOUNDARY_TOLERANCE = 0.008  # of the image's diagonal
TARGET = 0  # the number of the target among the objects of a frame


def region_similarity(mask: NDArray[np.bool_], target: NDArray[np.bool_]) -> float:
    """Return J, the intersection over union of two masks (H, W), in [0, 1]; 1 if both are empty."""
    union = np.count_nonzero(mask | target)
    return float(np.count_nonzero(mask & target) / union) if union else 1.0


def boundary_accuracy(mask: NDArray[np.bool_], target: NDArray[np.bool_]) -> float:
    """Return F of two masks (H, W), in [0, 1].

    It is the harmonic mean of precision and recall: the fractions of the pixels of either boundary
    that are as near to the other boundary as ceil(0.008 * diagonal) pixels, measured from centre to
    centre. Two masks without a boundary agree (1), and only one without (0) does not; a mask that
    fills the image has none.
    """
    ours, theirs = boundary(mask), boundary(target)
    counts = np.count_nonzero(ours), np.count_nonzero(theirs)
    if not all(counts):
        return float(counts[0] == counts[1])
    # Where neither has a boundary, nothing is counted.
    window = _window(ours | theirs)
    ours, theirs = ours[window], theirs[window]
    disk = _disk(int(np.ceil(BOUNDARY_TOLERANCE * np.hypot(*mask.shape))))
    precision = np.count_nonzero(ours & _dilated(theirs, disk)) / counts[0]
    recall = np.count_nonzero(theirs & _dilated(ours, disk)) / counts[1]
    total = precision + recall
    return float(2 * precision * recall / total) if total else 0.0


def boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the boundary (H, W) of a mask (H, W).

    These are the pixels that differ from the one to the right, below, or both, inside the image or
    not of the mask: the last row has none below, and the last column none to the right.
    """
    edges = np.zeros_like(mask)
    edges[:, :-1] = mask[:, :-1] ^ mask[:, 1:]
    edges[:-1] |= mask[:-1] ^ mask[1:]
    edges[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return edges


def object_under(
    mask: NDArray[np.bool_], target: NDArray[np.bool_], others: NDArray[np.bool_]
) -> int | None:
    """Return the number of the object that a mask (H, W) lies on: TARGET, k + 1, or None.

    target: (H, W).
    others: (K, H, W), the other objects.

    It is the one with the highest IoU, if that is at least SAME; the target among equals.
    """
    if not mask.any():
        return None
    area = np.count_nonzero(mask)
    best, number = SAME, None
    for k, each in enumerate((target, *others)):
        shared = np.count_nonzero(mask & each)
        if shared:
            iou = shared / (area + np.count_nonzero(each) - shared)
            if iou > best or (number is None and iou == best):
                best, number = iou, k
    return number


def identity_switches(objects: Sequence[int | None]) -> int:
    """Return how often a mask went over to another object.

    objects: the one that it lies on in every frame, from the first; None for none of them.

    It is the mismatch error (IDSW) of CLEAR MOT (Bernardin and Stiefelhagen, EURASIP JIVP 2008,
    article 246309) with one track: a frame counts if the object differs from the last one, however
    many frames without any lie between, so that going over and coming back are two. CLEAR MOT
    counts the tracks of each object; with one track alone these are the objects of the track.
    """
    seen = [each for each in objects if each is not None]
    return sum(one != other for one, other in pairwise(seen))


@dataclass(frozen=True)
class Absence:
    """A time without the target, and what was said.

    left: the first frame in which the target is gone.
    back: the first frame in which it is back; None if it stays away.
    lost_after: frames from `left` to the first one from then on whose answer is that it is lost,
        before `back`; None without such an answer.
    found_after: frames from `back` to the first one whose mask lies on the target, before it leaves
        again; None without.
    lost_frames, found_frames: frames that there were for it: from `left` to the one before `back`,
        and from `back` to the one before it leaves again; 0 if it stays away.
    """

    left: int
    back: int | None
    lost_after: int | None
    found_after: int | None
    lost_frames: int
    found_frames: int


def absences(
    areas: Sequence[int], is_lost: Sequence[bool], objects: Sequence[int | None]
) -> list[Absence]:
    """Return the times without the target.

    areas: visible pixels of the target in every frame.
    is_lost: whether the answer is that the target is lost.
    objects: see identity_switches.

    The target is gone in a frame with less than GONE of its area in the first frame that shows it,
    and back in the next one with BACK of it; what is between leaves open whether it can be found.
    """
    times = list(_times_away(areas))
    ends = [*(left for left, _ in times[1:]), len(areas)][: len(times)]
    found = []
    for (left, back), end in zip(times, ends, strict=True):
        until = end if back is None else back
        found.append(
            Absence(
                left=left,
                back=back,
                lost_after=_first(is_lost[left:until]),
                found_after=None
                if back is None
                else _first([each == TARGET for each in objects[back:end]]),
                lost_frames=until - left,
                found_frames=end - until,
            )
        )
    return found


def within(after: int | None, frames: int, limit: int) -> bool | None:
    """Return whether something was said within a limit.

    after: frames until it was said; None if it was not.
    frames: that there were for it.
    limit: frames after which it is too late.

    None stands for times that were too short to say so, even if it was said: to count only those
    would flatter.
    """
    if frames <= limit:
        return None
    return after is not None and after <= limit


def _times_away(areas: Sequence[int]) -> Iterator[tuple[int, int | None]]:
    """Yield the first frame of each time without the target, and the first one after it."""
    first, left = next(filter(None, areas), 0), None
    for frame, area in enumerate(areas):
        if left is None and area < GONE * first:
            left = frame
        elif left is not None and area >= BACK * first:
            yield left, frame
            left = None
    if left is not None:
        yield left, None


def _first(is_so: Sequence[bool]) -> int | None:
    return next((k for k, each in enumerate(is_so) if each), None)


def _window(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels of a mask, which has one."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return slice(top, top + height), slice(left, left + width)


def _disk(radius: int) -> NDArray[np.uint8]:
    """Return the pixels whose centres are at most `radius` away from that in the middle."""
    steps = np.arange(-radius, radius + 1) ** 2
    return (steps[:, None] + steps <= radius**2).astype(np.uint8)


def _dilated(mask: NDArray[np.bool_], disk: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return cv2.dilate(np.ascontiguousarray(mask).view(np.uint8), disk).view(np.bool_)
