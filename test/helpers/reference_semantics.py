"""An independent evaluator of expressions, which reads their words.

It uses the scene and the margins of docs/world.md, and neither sim/grammar.py nor
sim/semantics.py.
"""

import math

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
}
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
        if word in ('the', 'that', 'is'):
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


def column_of(scene, item):
    x, _, z = optical(scene, (*item.position, item.shape.height / 2))
    return x / z / (2 * math.tan(math.radians(scene.camera.fovy) / 2))


def depth_of(scene, item):
    return optical(scene, (*item.position, item.shape.height / 2))[2]


def outline(item):
    """Return points at most 2 mm apart on the outline of an object's footprint."""
    ring = item.footprint.segmentize(0.002).exterior
    return list(ring.coords)


def gap(first, second):
    return min(math.dist(a, b) for a in outline(first) for b in outline(second))


def verdict(difference, margin):
    """Return True from the margin on, False up to minus the margin, None (unclear) between."""
    if difference >= margin:
        return True
    return False if difference <= -margin else None


def related(scene, relation, item, other):
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
    verdicts = [verdict(value(other) - value(item), margin) for other in others]
    return False if False in verdicts else None if None in verdicts else True


def split(text):
    """Return the head words and ('relation', name, anchor words), ('place', name) or None."""
    for words, name in sorted(RELATIONS.items(), key=lambda entry: -len(entry[0])):
        if f' {words} the ' in text:
            head, anchor = text.split(f' {words} the ')
            return head, ('relation', name, anchor)
    for words, name in sorted(PLACES.items(), key=lambda entry: -len(entry[0])):
        if f' {words} ' in f' {text} ':
            return f' {text} '.replace(f' {words} ', ' '), ('place', name)
    return text, None


def fits(item, words):
    return all(getattr(item, field) == value for field, value in attributes(words).items())


def verdicts(text, scene):
    """Return for every object id whether the expression means it; None if that is unclear."""
    head, constraint = split(text)
    candidates = [item for item in scene.objects if fits(item, head)]
    answers = dict.fromkeys((item.id for item in scene.objects), False)
    for item in candidates:
        if constraint is None:
            answers[item.id] = True
        elif constraint[0] == 'place':
            answers[item.id] = placed(scene, constraint[1], item, candidates)
        else:
            _, relation, anchor = constraint
            holds = [
                related(scene, relation, item, other)
                for other in scene.objects
                if other is not item and fits(other, anchor)
            ]
            answers[item.id] = True if True in holds else None if None in holds else False
    return answers


def anchors(text, scene):
    """Return the ids of the objects that fit the anchor, or None if there is no relation."""
    _, constraint = split(text)
    if constraint is None or constraint[0] == 'place':
        return None
    return {item.id for item in scene.objects if fits(item, constraint[2])}
