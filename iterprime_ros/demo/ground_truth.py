"""Compares answers with the ground truth of the simulated scene."""

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.demo.command_client import Answer
from iterprime_ros.demo.scene_subscriber import RgbdFrame
from iterprime_ros.geometry.surface import surface
from iterprime_ros.msg import ReferredObject
from iterprime_ros.render import DrawnAnswer
from iterprime_ros.ros.convert.referred_object import full_mask, instance_masks
from iterprime_ros.sim.parsing import command_meaning
from iterprime_ros.sim.view import SeenObject, View

_STATUS = {
    ReferredObject.FOUND: 'found',
    ReferredObject.FOUND_SEVERAL: 'found several',
    ReferredObject.NOT_FOUND: 'not found',
    ReferredObject.AMBIGUOUS: 'ambiguous',
    ReferredObject.INVALID: 'invalid',
}
# Their text says what is missing, what tells the objects apart, or how many there are.
_EXPLAINED = (ReferredObject.NOT_FOUND, ReferredObject.AMBIGUOUS, ReferredObject.FOUND_SEVERAL)


def object_name(item: SeenObject) -> str:
    """Return the name of an object, such as "large red cube"."""
    return f'{item.size} {item.colour} {item.kind}'


def summary(answer: Answer, frame: RgbdFrame, view: View) -> str:
    """Return one line about an answer: status, probability, agreement with the truth, time.

    The answer's own text is part of it unless exactly one object was found.

    frame, view: the scene that the answer is about.
    """
    result = answer.result
    status = _STATUS[result.status]
    probability = _probability(result)
    if probability:
        status = f'{status}, {probability}'
    if result.status == ReferredObject.INVALID:
        parts = [f'{result.text[:1].lower()}{result.text[1:]}'.removesuffix('.')]
    else:
        parts = _agreement(result, frame, view)
    duration = result.processing_time
    parts.append(f'{1e3 * duration.sec + duration.nanosec / 1e6:.0f} ms')
    if result.status in _EXPLAINED:
        rest = ', '.join(parts)
        return f'{status}. {result.text} {rest[:1].upper()}{rest[1:]}'
    return ', '.join((status, *parts))


def drawn_answer(answer: Answer, frame: RgbdFrame, view: View) -> DrawnAnswer:
    """Return an answer as it is drawn, with the true mask of what is referred to.

    frame, view: the scene that the answer is about.
    """
    result = answer.result
    meant = _meant_ids(result.command, view) or frozenset()
    is_clear = len(meant) == 1 or result.status == ReferredObject.FOUND_SEVERAL
    return DrawnAnswer(
        command=result.command,
        text=result.text,
        mask=_mask(result, frame),
        heatmap=answer.heatmap,
        truth=np.isin(frame.ids, list(meant)) if meant and is_clear else None,
    )


def _probability(result: ReferredObject) -> str:
    """Return the match probability under its name in the answer's text; '' where that states it."""
    if not np.isfinite(result.match_probability) or not result.ranked_by:
        return ''
    measure = 'chance' if result.ranked_by == 'chance' else 'match'
    shown = f'{measure} {result.match_probability:.2f}'
    return '' if result.status in _EXPLAINED and shown in result.text else shown


def _target_id(command: str, view: View) -> int | None:
    """Return the id of the object that a command refers to.

    0 if the scene has no such object; None if the command leaves it open or cannot be parsed.
    """
    meant = _meant_ids(command, view)
    return None if meant is None or len(meant) > 1 else next(iter(meant), 0)


def _meant_ids(command: str, view: View) -> frozenset[int] | None:
    """Return the ids that a command fits; None if a margin leaves it open, or it is not parsed."""
    meaning = command_meaning(command, view)
    return None if meaning is None or meaning.sure != meaning.possible else meaning.sure


def _agreement(result: ReferredObject, frame: RgbdFrame, view: View) -> list[str]:
    """Return how a result agrees with the object that its command refers to."""
    names = {item.id: object_name(item) for item in view.objects}
    if result.status == ReferredObject.FOUND_SEVERAL:
        return _agreement_of_several(result, frame, view, names)
    target = _target_id(result.command, view)
    is_found = result.status != ReferredObject.NOT_FOUND
    parts = []
    if target == 0:
        parts.append(f'{"but " if is_found else ""}no such object is in the scene')
    elif target and not is_found:
        parts.append(f'but the {names[target]} is in the scene')
    if not is_found:
        return parts
    mask = _mask(result, frame)
    covered = _covered_id(mask, frame)
    if target:
        parts.append(f'IoU {_iou(mask, frame.ids == target):.2f} with the {names[target]}')
    if covered and covered != target:
        parts.append(f'the mask covers {_distinct_name(covered, target, names)}')
    if covered and target is None:
        parts.append(f'IoU {_iou(mask, frame.ids == covered):.2f}')
    if result.point_count and covered and target in (None, covered):
        parts.append(f'centroid error {_centroid_error(result, frame, covered):.0f} mm')
    return parts


def _agreement_of_several(
    result: ReferredObject, frame: RgbdFrame, view: View, names: dict[int, str]
) -> list[str]:
    """Return how a result agrees with the objects that are meant, then what each mask covers."""
    meant = _meant_ids(result.command, view)
    covered = [_covered_object(mask, frame, names) for mask in instance_masks(result)]
    if meant is None:
        return covered
    if not meant:
        return ['but no such object is in the scene', *covered]
    iou = _iou(_mask(result, frame), np.isin(frame.ids, list(meant)))
    return [f'IoU {iou:.2f} with all {len(meant)} of them', *covered]


def _covered_object(mask: NDArray[np.bool_], frame: RgbdFrame, names: dict[int, str]) -> str:
    covered = _covered_id(mask, frame)
    if not covered:
        return 'the background'
    return f'the {names[covered]} with IoU {_iou(mask, frame.ids == covered):.2f}'


def _mask(result: ReferredObject, frame: RgbdFrame) -> NDArray[np.bool_]:
    """Return the mask (H, W) of a result, empty where it found nothing."""
    mask = full_mask(result)
    return mask if mask.size else np.zeros(frame.ids.shape, dtype=bool)


def _covered_id(mask: NDArray[np.bool_], frame: RgbdFrame) -> int:
    """Return the id of the object that a mask covers most of, 0 if it covers background only."""
    areas = np.bincount(frame.ids[mask], minlength=1)
    areas[0] = 0
    return int(areas.argmax())


def _iou(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float((mask & truth).sum() / max(1, (mask | truth).sum()))


def _centroid_error(result: ReferredObject, frame: RgbdFrame, object_id: int) -> float:
    """Return the distance in mm from the true centroid of an object's visible surface."""
    truth = surface(frame.depth, frame.ids == object_id, frame.rgb, frame.pinhole).centroid
    found = (result.centroid.x, result.centroid.y, result.centroid.z)
    return float(1e3 * np.linalg.norm(truth - found))


def _distinct_name(covered: int, target: int | None, names: dict[int, str]) -> str:
    """Return a name of the covered object that cannot be taken for the target's."""
    name = names[covered]
    if not target or names[target] != name:
        return f'the {name}'
    return f'the other {name}' if list(names.values()).count(name) == 2 else f'another {name}'
