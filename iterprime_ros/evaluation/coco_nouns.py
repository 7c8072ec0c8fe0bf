"""Nouns that name the 80 thing categories of COCO.

Names: `COCO_CATEGORIES` with isthing 1 in facebookresearch/detectron2
detectron2/data/datasets/builtin_meta.py. Plurals and synonyms are ours.
"""

from collections.abc import Iterator, Sequence

CATEGORIES = (
    *('person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train', 'truck', 'boat'),
    *('traffic light', 'fire hydrant', 'stop sign', 'parking meter', 'bench', 'bird', 'cat'),
    *('dog', 'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe', 'backpack'),
    *('umbrella', 'handbag', 'tie', 'suitcase', 'frisbee', 'skis', 'snowboard', 'sports ball'),
    *('kite', 'baseball bat', 'baseball glove', 'skateboard', 'surfboard', 'tennis racket'),
    *('bottle', 'wine glass', 'cup', 'fork', 'knife', 'spoon', 'bowl', 'banana', 'apple'),
    *('sandwich', 'orange', 'broccoli', 'carrot', 'hot dog', 'pizza', 'donut', 'cake', 'chair'),
    *('couch', 'potted plant', 'bed', 'dining table', 'toilet', 'tv', 'laptop', 'mouse'),
    *('remote', 'keyboard', 'cell phone', 'microwave', 'oven', 'toaster', 'sink'),
    *('refrigerator', 'book', 'clock', 'vase', 'scissors', 'teddy bear', 'hair drier'),
    'toothbrush',
)

# People by sex, age or occupation, common short forms, and parts of a name that say it alone.
SYNONYMS = {
    'person': (
        *('man', 'woman', 'boy', 'girl', 'guy', 'lady', 'gentleman', 'dude', 'gal', 'male'),
        *('female', 'kid', 'child', 'baby', 'toddler', 'teenager', 'adult', 'human'),
        *('player', 'batter', 'catcher', 'pitcher', 'umpire', 'skier', 'skater', 'snowboarder'),
        *('skateboarder', 'surfer', 'rider', 'cyclist', 'chef', 'cook', 'waiter', 'waitress'),
        *('policeman', 'officer', 'cop', 'worker', 'driver', 'bride', 'groom', 'mom', 'dad'),
        *('mother', 'father', 'student', 'passenger', 'pedestrian', 'spectator'),
    ),
    'bicycle': ('bike',),
    'car': ('taxi', 'cab', 'suv', 'jeep', 'sedan'),
    'motorcycle': ('motorbike', 'scooter', 'moped'),
    'airplane': ('plane', 'aeroplane', 'jet', 'aircraft'),
    'truck': ('pickup',),
    'boat': ('ship', 'canoe', 'kayak', 'sailboat'),
    'fire hydrant': ('hydrant',),
    'bird': ('duck', 'goose', 'pigeon', 'parrot', 'seagull'),
    'cat': ('kitten', 'kitty'),
    'dog': ('puppy',),
    'horse': ('pony', 'foal'),
    'sheep': ('lamb', 'ram'),
    'cow': ('bull', 'calf', 'cattle'),
    'handbag': ('purse',),
    'tie': ('necktie',),
    'suitcase': ('luggage',),
    'sports ball': ('ball', 'baseball', 'basketball', 'football', 'soccer ball', 'tennis ball'),
    'baseball bat': ('bat',),
    'baseball glove': ('mitt',),
    'tennis racket': ('racket', 'racquet'),
    'cup': ('mug',),
    'donut': ('doughnut',),
    'couch': ('sofa', 'loveseat'),
    'potted plant': ('houseplant',),
    'dining table': ('table',),
    'tv': ('television',),
    'cell phone': ('phone', 'cellphone', 'smartphone'),
    'refrigerator': ('fridge',),
    'teddy bear': ('teddy',),
    'hair drier': ('hair dryer', 'hairdryer'),
}
_PLURALS = {
    'man': 'men',
    'woman': 'women',
    'gentleman': 'gentlemen',
    'policeman': 'policemen',
    'child': 'children',
    'person': 'people',
    'mouse': 'mice',
    'goose': 'geese',
    'knife': 'knives',
    'calf': 'calves',
    'skis': 'ski',  # the category is a plural
}


def names_category(words: Sequence[str]) -> bool:
    """Return whether a noun phrase that ends with its head noun names a thing category of COCO.

    words: in lower case. The last one decides, or the last two where a name has two: "light" is
        none, "traffic light" is one.
    """
    return any(' '.join(words[-count:]) in _NOUNS for count in (1, 2) if count <= len(words))


def _forms(noun: str) -> Iterator[str]:
    """Yield a noun and its plural."""
    yield noun
    *before, last = noun.split()
    plural = _PLURALS.get(last)
    if plural is None and last.endswith(('s', 'x', 'z', 'ch', 'sh')):
        plural = f'{last}es'
    elif plural is None and last.endswith('y') and last[-2] not in 'aeiou':
        plural = f'{last[:-1]}ies'
    yield ' '.join([*before, plural or f'{last}s'])


_NOUNS = frozenset(
    form
    for noun in (*CATEGORIES, *(each for synonyms in SYNONYMS.values() for each in synonyms))
    for form in _forms(noun)
)
