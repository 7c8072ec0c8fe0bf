"""An independent evaluator of expressions, which reads their words.

It uses the scene and the margins of docs/world.md, and neither sim/grammar.py nor
sim/semantics.py.
"""

import math
import re

import numpy as np

KIND_OF = {
    **dict.fromkeys(['cube', 'block', 'box'], 'cube'),
    **dict.fromkeys(['ball', 'sphere'], 'ball'),
    **dict.fromkeys(['cylinder', 'tube'], 'cylinder'),
    **dict.fromkeys(['mug', 'cup'], 'mug'),
    **dict.fromkeys(['bottle', 'flask'], 'bottle'),
    **dict.fromkeys(['plate', 'dish'], 'plate'),
    'banana': 'banana',
    **dict.fromkeys(['capsule', 'pill'], 'capsule'),
    **dict.fromkeys(['object', 'thing', 'item'], ''),
    **dict.fromkeys(['cubes', 'blocks', 'boxes'], 'cube'),
    **dict.fromkeys(['balls', 'spheres'], 'ball'),
    **dict.fromkeys(['cylinders', 'tubes'], 'cylinder'),
    **dict.fromkeys(['mugs', 'cups'], 'mug'),
    **dict.fromkeys(['bottles', 'flasks'], 'bottle'),
    **dict.fromkeys(['plates', 'dishes'], 'plate'),
    'bananas': 'banana',
    **dict.fromkeys(['capsules', 'pills'], 'capsule'),
    **dict.fromkeys(['objects', 'things', 'items'], ''),
}
COLOUR_WORDS = {'red', 'green', 'blue', 'yellow', 'orange', 'purple', 'white', 'black'}
SIZE_OF = {'small': 'small', 'little': 'small', 'large': 'large', 'big': 'large'}

RELATIONS = {
    'to the left of': 'left',
    'left of': 'left',
    'to the right of': 'right',
    'right of': 'right',
    'behind': 'behind',
    'in back of': 'behind',
    'in front of': 'front',
    'next to': 'near',
    'beside': 'near',
    'near': 'near',
    'close to': 'near',
    'on': 'on',
    'on top of': 'on',
    'under': 'under',
    'beneath': 'under',
    'underneath': 'under',
}
SIZE_ORDERS = {'biggest': 1, 'largest': 1, 'that is the smallest': -1, 'smallest': -1}
PLACES = {
    'leftmost': 'most left',
    'furthest to the left': 'most left',
    'at the far left': 'most left',
    'rightmost': 'most right',
    'furthest to the right': 'most right',
    'at the far right': 'most right',
    'closest to the camera': 'closest',
    'closest': 'closest',
    'nearest': 'closest',
    'farthest from the camera': 'farthest',
    'farthest away': 'farthest',
    'farthest': 'farthest',
    'in the middle': 'middle',
    'in the centre': 'middle',
    'middle': 'middle',
    'on the left side': 'left side',
    'on the left': 'left side',
    'on the right side': 'right side',
    'on the right': 'right side',
}


def attributes(words):
    """Return {'kind': 'mug', 'colour': 'red', 'size': 'small'} of 'small red mug'."""
    found = {}
    for word in words.split():
        if word in ('the', 'that', 'is', 'all', 'of'):
            continue
        if word in KIND_OF:
            field, value = 'kind', KIND_OF[word]
        elif word in COLOUR_WORDS:
            field, value = 'colour', word
        else:
            field, value = 'size', SIZE_OF[word]
        assert field not in found, words
        if value:
            found[field] = value
    return found


def optical(scene, point):
    """Return (x right, y down, z forward) of a world point, from eye and target alone."""
    eye, target = scene.camera.eye, scene.camera.target
    forward = [t - e for t, e in zip(target, eye, strict=True)]
    length = math.hypot(*forward)
    fx, fy, fz = (value / length for value in forward)
    side = math.hypot(fx, fy)
    right = (fy / side, -fx / side, 0.0)
    down = (
        fy * right[2] - fz * right[1],
        fz * right[0] - fx * right[2],
        fx * right[1] - fy * right[0],
    )
    to_point = [p - e for p, e in zip(point, eye, strict=True)]
    return [
        sum(a * b for a, b in zip(axis, to_point, strict=True))
        for axis in (right, down, (fx, fy, fz))
    ]


def centre_of(item):
    return (*item.position, item.base_height + item.shape.height / 2)


def column_of(scene, item):
    x, _, z = optical(scene, centre_of(item))
    return x / z / (2 * math.tan(math.radians(scene.camera.fovy) / 2))


def depth_of(scene, item):
    return optical(scene, centre_of(item))[2]


def outline(item):
    """Return points at most 2 mm apart on the outline of an object's footprint."""
    ring = item.footprint.segmentize(0.002).exterior
    return list(ring.coords)


def gap(first, second):
    a, b = np.array(outline(first)), np.array(outline(second))
    return np.hypot(*(a[:, None] - b).transpose(2, 0, 1)).min()


def verdict(difference, margin):
    """Return True from the margin on, False up to minus the margin, None (unclear) between."""
    if difference >= margin:
        return True
    return False if difference <= -margin else None


def rests_on(item, other):
    """Return whether the base of an object is inside or on top of another one."""
    top = other.base_height + other.shape.height
    if not other.base_height < item.base_height < top + 1e-6:
        return False
    reach = max(math.dist(other.position, point) for point in outline(other))
    return math.dist(item.position, other.position) < reach


def is_above(scene, item, other):
    """Return whether an object is in the stack on another one, by their geometry alone."""
    return rests_on(item, other) or any(
        rests_on(item, each) and is_above(scene, each, other) for each in scene.objects
    )


def carries(scene, item, other):
    """Return whether an object stands on another one; None if others are in between."""
    if not is_above(scene, item, other):
        return False
    between = any(
        is_above(scene, item, each) and is_above(scene, each, other) for each in scene.objects
    )
    return None if between else True


def related(scene, relation, item, other):
    if relation in ('on', 'under'):
        return carries(scene, *((item, other) if relation == 'on' else (other, item)))
    if is_above(scene, item, other) or is_above(scene, other, item):
        return None
    column = column_of(scene, other) - column_of(scene, item)
    depth = depth_of(scene, item) - depth_of(scene, other)
    if relation == 'near':
        distance = gap(item, other)
        # A tolerance of 1.5 mm, since the outlines are sampled.
        return True if distance < 0.0415 else False if distance > 0.0885 else None
    difference, margin = {
        'left': (column, 0.05),
        'right': (-column, 0.05),
        'behind': (depth, 0.04),
        'front': (-depth, 0.04),
    }[relation]
    return verdict(difference, margin)


def is_between(scene, item, one, other):
    """Return whether an object is between two others, by the law of cosines seen from above."""
    if any(
        is_above(scene, *pair) for each in (one, other) for pair in ((item, each), (each, item))
    ):
        return None
    a = math.dist(item.position, one.position)
    b = math.dist(item.position, other.position)
    c = math.dist(one.position, other.position)
    cosine = (a * a + b * b - c * c) / (2 * a * b)
    if cosine <= math.cos(math.radians(140)):
        return True
    return False if cosine >= math.cos(math.radians(100)) else None


def box_side(item):
    """Return the cube root of the volume of the smallest upright box, out of 180."""
    angle = np.radians(np.arange(180) / 2)
    x, y = np.array(item.footprint.exterior.coords).T[:, :, None]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (np.ptp(along, axis=0) * np.ptp(across, axis=0)).min() ** (1 / 3) * np.cbrt(
        item.shape.height
    )


def placed(scene, place, item, candidates):
    others = [other for other in candidates if other is not item]
    if place in ('left side', 'right side'):
        column = column_of(scene, item)
        return verdict(-column if place == 'left side' else column, 0.05)
    if place == 'middle':
        left = sum(column_of(scene, other) <= column_of(scene, item) - 0.05 for other in others)
        right = sum(column_of(scene, other) >= column_of(scene, item) + 0.05 for other in others)
        has_no_middle = len(candidates) < 3 or len(candidates) % 2 == 0
        if has_no_middle or left + right < len(others):
            return None if has_no_middle or left == right else False
        return left == right
    value, margin = {
        'most left': (lambda other: column_of(scene, other), 0.05),
        'most right': (lambda other: -column_of(scene, other), 0.05),
        'closest': (lambda other: depth_of(scene, other), 0.04),
        'farthest': (lambda other: -depth_of(scene, other), 0.04),
    }[place]
    return all_of(verdict(value(other) - value(item), margin) for other in others)


def ranked(scene, rank, side, item, candidates):
    sign = 1 if side == 'left' else -1
    ahead = [
        verdict(sign * (column_of(scene, item) - column_of(scene, other)), 0.05)
        for other in candidates
        if other is not item
    ]
    fewest, most = ahead.count(True), len(ahead) - ahead.count(False)
    if not fewest <= rank - 1 <= most:
        return False
    return True if fewest == most else None


def sized(sign, item, candidates):
    others = [other for other in candidates if other is not item]
    ratios = [sign * math.log(box_side(item) / box_side(other)) for other in others]
    # A tolerance of 0.2 %, since the outlines are turned in steps.
    return all_of(verdict(ratio, math.log(1.148)) for ratio in ratios)


def all_of(verdicts):
    verdicts = list(verdicts)
    return False if False in verdicts else None if None in verdicts else True


def any_of(verdicts):
    verdicts = list(verdicts)
    return True if True in verdicts else None if None in verdicts else False


def split(text):
    """Return the head words, and the name and the words of the constraint on them, or None."""
    negated = re.fullmatch(r'(.*) (?:that|which) is not (\w+)', text)
    if negated:
        return negated[1], ('not', negated[2])
    between = re.fullmatch(r'(.*) between the (.*) and the (.*)', text)
    if between:
        return between[1], ('between', between[2], between[3])
    ordinal = re.fullmatch(r'the (second|third) (.*?)(?: counting)? from the (left|right)', text)
    if ordinal:
        return ordinal[2], ('rank', ('second', 'third').index(ordinal[1]) + 2, ordinal[3])
    relations = [
        (found.start(), -len(words), found.end(), name)
        for words, name in RELATIONS.items()
        if (found := re.search(rf' {words} the (?!left\b|right\b)', text))
    ]
    if relations:
        start, _, end, name = min(relations)
        return text[:start], ('relation', name, text[end:])
    for words, sign in SIZE_ORDERS.items():
        if f' {words} ' in f' {text} ':
            return f' {text} '.replace(f' {words} ', ' '), ('size', sign)
    for words, name in sorted(PLACES.items(), key=lambda entry: -len(entry[0])):
        if f' {words} ' in f' {text} ':
            return f' {text} '.replace(f' {words} ', ' '), ('place', name)
    return text, None


def fits(item, words):
    return all(getattr(item, field) == value for field, value in attributes(words).items())


def constrained(scene, constraint, item, candidates):
    """Return whether a constraint holds for one of the objects that fit the head."""
    match constraint:
        case None:
            return True
        case 'not', word:
            return not fits(item, word)
        case 'place', name:
            return placed(scene, name, item, candidates)
        case 'size', sign:
            return sized(sign, item, candidates)
        case 'rank', rank, side:
            return ranked(scene, rank, side, item, candidates)
        case 'between', first, second:
            return any_of(
                is_between(scene, item, one, other)
                for one in scene.objects
                for other in scene.objects
                if len({item.id, one.id, other.id}) == 3
                and fits(one, first)
                and fits(other, second)
            )
        case 'relation', name, anchor:
            meant = verdicts(anchor, scene)
            return any_of(
                all_of([related(scene, name, item, other), meant[other.id]])
                for other in scene.objects
                if other is not item
            )


def verdicts(text, scene):
    """Return for every object id whether the expression means it; None if that is unclear."""
    head, constraint = split(text)
    candidates = [item for item in scene.objects if fits(item, head)]
    answers = dict.fromkeys((item.id for item in scene.objects), False)
    for item in candidates:
        answers[item.id] = constrained(scene, constraint, item, candidates)
    return answers


def anchors(text, scene):
    """Return for each anchor, nested ones too, the ids of the objects that it may mean."""
    _, constraint = split(text)
    match constraint:
        case 'relation', _, anchor:
            return [meant_by(anchor, scene), *anchors(anchor, scene)]
        case 'between', first, second:
            return [meant_by(first, scene), meant_by(second, scene)]
        case _:
            return []


def meant_by(text, scene):
    return {number for number, meant in verdicts(text, scene).items() if meant is not False}
