"""The logical form of referring expressions about the tabletop."""

from dataclasses import dataclass
from enum import Enum


class Place(Enum):
    """A location that is stated without naming another object."""

    LEFTMOST = 'leftmost'
    RIGHTMOST = 'rightmost'
    CLOSEST = 'closest'
    FARTHEST = 'farthest'
    MIDDLE = 'middle'
    ON_THE_LEFT = 'on the left'
    ON_THE_RIGHT = 'on the right'


class Relation(Enum):
    """A location relative to another object, the anchor."""

    LEFT_OF = 'left of'
    RIGHT_OF = 'right of'
    BEHIND = 'behind'
    IN_FRONT_OF = 'in front of'
    NEXT_TO = 'next to'


class Support(Enum):
    """What carries what: the object stands on the anchor, or the anchor stands on the object."""

    ON = 'on'
    UNDER = 'under'


class SizeOrder(Enum):
    """The end of the order by size at which the object is."""

    BIGGEST = 'biggest'
    SMALLEST = 'smallest'


@dataclass(frozen=True)
class Ordinal:
    """A place in the order from one side of the image to the other.

    start: Place.LEFTMOST or Place.RIGHTMOST, where counting starts.
    rank: 2 or 3; the first is the leftmost or the rightmost.

    Raises ValueError for another start or rank.
    """

    start: Place
    rank: int

    def __post_init__(self) -> None:
        if self.start not in (Place.LEFTMOST, Place.RIGHTMOST) or self.rank not in ORDINAL_WORDS:
            raise ValueError(f'{self} is invalid: count from the left or the right, to 2 or 3.')

    @property
    def value(self) -> str:
        """Its name, such as "second from the left"."""
        side = 'left' if self.start is Place.LEFTMOST else 'right'
        return f'{ORDINAL_WORDS[self.rank]} from the {side}'


ORDINAL_WORDS = {2: 'second', 3: 'third'}


@dataclass(frozen=True)
class Description:
    """The attributes of an object that an expression names; None: not named.

    kind: a name in scene.KINDS.
    colour: a name in scene.COLOURS.
    size: a name in scene.SIZES.
    """

    kind: str | None = None
    colour: str | None = None
    size: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no attribute is named, so that every object fits."""
        return self == Description()


@dataclass(frozen=True)
class Phrase:
    """The logical form of an expression: a description with at most one location.

    head: attributes of the object itself.
    place: its location, if stated without another object, or its place in an order.
    relation: its location relative to anchor; None if and only if anchor is None.
    anchor: attributes of the other object, or a phrase that says where it is.
    between: attributes of the two objects that it is between.
    excluded: an attribute that the object does not have: one colour or one size.
    is_plural: whether all objects are meant that fit, rather than the only one.

    Raises ValueError for more than one location, for a relation without an anchor, or for an
    exclusion that is not one colour or one size.
    """

    head: Description
    place: Place | Ordinal | SizeOrder | None = None
    relation: Relation | Support | None = None
    anchor: 'Description | Phrase | None' = None
    between: tuple[Description, Description] | None = None
    excluded: Description | None = None
    is_plural: bool = False

    def __post_init__(self) -> None:
        locations = sum(bool(each) for each in (self.place, self.relation, self.between))
        if (self.relation is None) != (self.anchor is None) or locations > 1:
            raise ValueError(
                f'{self} is invalid: give either a place, or a relation with an anchor, or two '
                'objects that it is between, or neither.'
            )
        if self.excluded and (
            self.excluded.kind or bool(self.excluded.colour) == bool(self.excluded.size)
        ):
            raise ValueError(f'{self} is invalid: exclude either a colour or a size.')
