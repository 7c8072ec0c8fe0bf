"""The words that a spoken command may have: what the robot knows, and its world is made of."""

from dataclasses import dataclass

_PLURAL_ES = ('s', 'x', 'z', 'ch', 'sh')


@dataclass(frozen=True)
class Vocabulary:
    """The words for the objects of a robot's world, in lower case; at least one noun.

    nouns: what objects are called, in the singular.
    colours: adjectives of colour.
    sizes: adjectives of size; other attributes may be among them.
    """

    nouns: tuple[str, ...]
    colours: tuple[str, ...]
    sizes: tuple[str, ...]

    @property
    def plurals(self) -> tuple[str, ...]:
        """The nouns in the plural."""
        return tuple(
            f'{noun}es' if noun.endswith(_PLURAL_ES) else f'{noun}s' for noun in self.nouns
        )


# The simulated table, whose kinds have several names each.
TABLETOP = Vocabulary(
    nouns=(
        'cube',
        'block',
        'box',
        'ball',
        'sphere',
        'cylinder',
        'tube',
        'mug',
        'cup',
        'bottle',
        'flask',
        'plate',
        'dish',
        'banana',
        'capsule',
        'pill',
        'object',
        'thing',
        'item',
    ),
    colours=('red', 'green', 'blue', 'yellow', 'orange', 'purple', 'black', 'white'),
    sizes=('small', 'little', 'large', 'big'),
)
