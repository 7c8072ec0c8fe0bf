"""An evaluator of expressions that shares nothing with the grammar: it reads the words.

It knows English, the scene's numbers and the margins that docs/world.md states, and neither
phrases.py nor meaning.py.
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
    """Read 'small red mug' into {'kind': 'mug', 'colour': 'red', 'size': 'small'}."""
    read = {}
    for word in words.split():
        if word in ('the', 'that', 'is'):
            continue
        if word in KIND_OF:
            field, value = 'kind', KIND_OF[word]
        elif word in COLOUR_WORDS:
            field, value = 'colour', word
        else:
            field, value = 'size', SIZE_OF[word]
        assert field not in read, words
        if value:
            read[field] = value
    return read


def optical(scene, point):
    """Return (x right, y down, z forward) of a world point, from the look-at triple alone."""
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
    """Points every 2 mm or so round an object's footprint."""
    ring = item.footprint.segmentize(0.002).exterior
    return list(ring.coords)


def gap(first, second):
    return min(math.dist(a, b) for a in outline(first) for b in outline(second))


def verdict(amount, margin):
    """True at or above the margin, False at or below minus it, None between: cannot be said."""
    if amount >= margin:
        return True
    return False if amount <= -margin else None


def related(scene, relation, item, other):
    column = column_of(scene, other) - column_of(scene, item)
    depth = depth_of(scene, item) - depth_of(scene, other)
    if relation == 'near':
        distance = gap(item, other)
        # The outlines are sampled: give way by a millimetre where it is close.
        return True if distance < 0.0415 else False if distance > 0.0885 else None
    amount, margin = {
        'left': (column, 0.05),
        'right': (-column, 0.05),
        'behind': (depth, 0.04),
        'front': (-depth, 0.04),
    }[relation]
    return verdict(amount, margin)


def placed(scene, place, item, rivals):
    others = [other for other in rivals if other is not item]
    if place in ('left side', 'right side'):
        column = column_of(scene, item)
        return verdict(-column if place == 'left side' else column, 0.05)
    if place == 'middle':
        left = sum(column_of(scene, other) <= column_of(scene, item) - 0.05 for other in others)
        right = sum(column_of(scene, other) >= column_of(scene, item) + 0.05 for other in others)
        if len(rivals) < 3 or len(rivals) % 2 == 0 or left + right < len(others):
            return None if len(rivals) < 3 or len(rivals) % 2 == 0 or left == right else False
        return left == right
    rank, margin = {
        'most left': (lambda other: column_of(scene, other), 0.05),
        'most right': (lambda other: -column_of(scene, other), 0.05),
        'closest': (lambda other: depth_of(scene, other), 0.04),
        'farthest': (lambda other: -depth_of(scene, other), 0.04),
    }[place]
    verdicts = [verdict(rank(other) - rank(item), margin) for other in others]
    return False if False in verdicts else None if None in verdicts else True


def split(text):
    """Return (head words, ('relation', name, anchor words) or ('place', name) or None)."""
    for words, name in sorted(RELATIONS.items(), key=lambda entry: -len(entry[0])):
        if f' {words} the ' in text:
            head, anchor = text.split(f' {words} the ')
            return head, ('relation', name, anchor)
    for words, name in sorted(PLACES.items(), key=lambda entry: -len(entry[0])):
        if f' {words} ' in f' {text} ':
            return f' {text} '.replace(f' {words} ', ' '), ('place', name)
    return text, None


def verdicts(text, scene):
    """Return {id: True, False or None} for every object: does the expression mean it?"""
    head, more = split(text)

    def fits(item, words):
        wanted = attributes(words)
        return all(getattr(item, field) == value for field, value in wanted.items())

    rivals = [item for item in scene.objects if fits(item, head)]
    answers = dict.fromkeys((item.id for item in scene.objects), False)
    for item in rivals:
        if more is None:
            answers[item.id] = True
        elif more[0] == 'place':
            answers[item.id] = placed(scene, more[1], item, rivals)
        else:
            _, relation, anchor = more
            held = [
                related(scene, relation, item, other)
                for other in scene.objects
                if other is not item and fits(other, anchor)
            ]
            answers[item.id] = True if True in held else None if None in held else False
    return answers


def anchors(text, scene):
    """Return the ids that the anchor of a relation may be, or None where there is no relation."""
    _, more = split(text)
    if more is None or more[0] == 'place':
        return None
    wanted = attributes(more[2])
    return {
        item.id
        for item in scene.objects
        if all(getattr(item, field) == value for field, value in wanted.items())
    }
