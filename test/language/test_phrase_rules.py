"""The rules of noun phrases, one by one, and what holds of every text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.phrase_notation import normal_form, notation
from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.language.command_parser import CommandParser, normalised
from iterprime_ros.language.phrase import Order, Relation, Side
from iterprime_ros.language.phrase_reader import MAX_DEPTH


@pytest.fixture(scope='module')
def parser():
    return CommandParser.load()


SIDES_AND_ORDERS = """
the leftmost mug                                | mug [leftmost]
the left-most zebra                             | zebra [leftmost]
the mug furthest to the left                    | mug [leftmost]
the mug farthest left                           | mug [leftmost]
the mug at the far right                        | mug [rightmost]
the topmost book                                | book [topmost]
the lowest drawer                               | drawer [bottommost]
the left mug                                    | mug [on the left]
the mug on the left side of the picture         | mug [on the left]
the mug on my left                              | mug [on the left]
the mug in the top left corner                  | mug [at the top; on the left]
bottom right corner donut                       | donut [at the bottom; on the right]
front left mug                                  | mug [closest; on the left]
the mug in the back                             | mug [farthest]
the mug closest to me                           | mug [closest]
the mug next to me                              | mug [closest]
the mug farthest away                           | mug [farthest]
the mug nearest the bottle                      | mug [closest to (bottle)]
the closest cup to the plate                    | cup [closest to (plate)]
the closest cup to the camera                   | cup [closest]
the cup farthest away from the plate            | cup [farthest to (plate)]
the cup closest to the bottle left of the plate | cup [closest to (bottle [left of (plate)])]
the biggest ball                                | ball [biggest]
the ball that is the smallest                   | ball [smallest]
the big ball                                    | big ball
the tallest of the three bottles                | bottle [tallest]
the left one of the two mugs                    | mug [on the left]
the middle mug                                  | mug [middle]
the mug in the centre of the table              | mug [middle]
the middle of the three mugs                    | mug [middle]
bear looking left                               | bear looking left
the jar on the top shelf                        | jar [on (shelf [at the top])]
the mug on the far left red box                 | mug [on (red box [leftmost])]
the cat in the back room                        | cat [in (room [farthest])]
the top of the stairs                           | top of stairs
the back of the chair                           | back of chair
woman in red top                                | woman in red top
the mug bigger than the plate                   | mug bigger than plate
"""
ORDINALS = """
the second mug from the left     | mug [leftmost 2]
third from right                 | object [rightmost 3]
2nd biggest ball                 | ball [biggest 2]
the first mug                    | mug [leftmost]
the very first mug               | mug [leftmost]
the last mug                     | mug [rightmost]
the second to last mug           | mug [rightmost 2]
the last mug from the left       | mug [rightmost]
the last chair on the right      | chair [rightmost]
the second mug on the right      | mug [rightmost 2]
the third book from the bottom   | book [bottommost 3]
the second mug from the back     | mug [farthest 2]
the mug that is second from left | mug [leftmost 2]
"""
RELATIONS = """
the cup left of the plate behind the bottle     | cup [left of (plate [behind (bottle)])]
the cup left of the plate and behind the bottle | cup [left of (plate); behind (bottle)]
the cup left of the plate, behind the bottle    | cup [left of (plate); behind (bottle)]
the cup on the left side of the plate           | cup [left of (plate)]
the cup to the immediate left of the plate      | cup [left of (plate)]
the red mug right next to the plate             | red mug [next to (plate)]
the ball standing on the box                    | ball [on (box)]
the ball on top of the box                      | ball [on (box)]
the box beneath the ball                        | box [under (ball)]
the box below the ball                          | box [below (ball)]
the cleaner from under the sink                 | cleaner [under (sink)]
the mug between the plate and the box           | mug [between (plate) (box)]
the mug between the plates                      | mug [between (plate*)]
the mug in the middle of the two plates         | mug [between (plate*2)]
the mug between the red and the blue plate      | mug [between (red plate) (blue plate)]
the mug between the red plate and the blue one  | mug [between (red plate) (blue plate)]
the mug between the plate on the box and the ball | mug [between (plate [on (box)]) (ball)]
the box with the ball on it                     | box with ball on it
a fridge with magnets on the door               | fridge with magnets on door
man in a hat next to the dog                    | man in hat [next to (dog)]
the child held by its mother                    | child held by its mother
the apple cut in half                           | apple cut in half
person sitting next to the dog                  | person sitting [next to (dog)]
the mug sitting next to the plate               | mug [next to (plate)]
"""
NEGATIONS = """
the mug that is not red                | mug [not "red mug"]
the small mug that isn't red           | small mug [not "small red mug"]
the small mug that is not big          | small mug [not "big mug"]
the mug that is neither red nor blue   | mug [not "red mug"; not "blue mug"]
the mug not on the left                | mug [not on the left]
the mug that isn't next to the plate   | mug [not next to (plate)]
the mug that is not the red one        | mug [not "red mug"]
the black one, not the white one       | black object [not "white object"]
all the mugs except the red one        | mug* [not "red mug"]
all the mugs except the one on the left | mug* [not on the left]
all blocks but the green one           | block* [not "green block"]
everything except the mug              | object* [not "mug"]
any mug but the left one               | mug [not on the left]
all mugs except the ones next to the plate | mug* [not next to (plate)]
all mugs but red ones                  | mug* [not "red mug"]
the small but heavy mug                | small but heavy mug
the mug not next to the plate nor behind the box | mug [not next to (plate); not behind (box)]
the mug not next to the plate, nor behind the box | mug [not next to (plate); not behind (box)]
the mug not left of the plate or behind the box | mug [not left of (plate); not behind (box)]
the mug neither left of the plate nor behind the box | mug [not left of (plate); not behind (box)]
the mug that is neither on the left nor on the box | mug [not on the left; not on (box)]
the mug neither next to the plate nor the box | mug [not next to (plate); not next to (box)]
the cup not on the box or the plate    | cup [not on (box); not on (plate)]
the mug not red nor behind the box     | mug [not "red mug"; not behind (box)]
the mug neither behind the box nor red | mug [not behind (box); not "red mug"]
the mug neither red nor blue           | mug [not "red mug"; not "blue mug"]
the red or blue mug                    | red or blue mug
guy without a hat                      | guy [not "guy with hat"]
the mug that has no handle             | mug [not "mug with handle"]
the person who isn't wearing a hat     | person [not "person wearing hat"]
"""
NUMBERS = """
the mugs                   | mug*
all the red mugs           | red mug*
all of the dishes          | dish*
every red mug              | red mug*
both mugs                  | mug*2
two mugs                   | mug*2
all three mugs             | mug*3
the two mugs on the left   | mug*2 [on the left]
the three largest balls    | ball*3 [biggest]
two people on the bench    | person*2 [on (bench)]
one of the mugs            | mug
any of the mugs            | mug
one mug                    | mug
a few mugs                 | mug*
several red cubes          | red cube*
many of the mugs           | mug*
a couple of mugs           | mug*2
a pair of mugs             | mug*2
a pair of scissors         | pair of scissors
a pair of glasses          | pair of glasses
the couple on the bench    | couple [on (bench)]
a two-story house          | two-story house
the scissors               | scissors
the glass                  | glass
"""
ATTRIBUTES = """
the mug that is red                  | red mug
the red mug that is small            | small red mug
the mug that is small and red        | small red mug
the dog that is black and white      | black and white dog
the cat that is sleeping             | cat sleeping
the cup that is full of coffee       | cup full of coffee
the red one                          | red object
anything red                         | red object
something soft to drink              | soft object to drink
everyone on the left                 | person* [on the left]
whatever is next to the kettle       | object [next to (kettle)]
boy's half-eaten apple               | boy's half-eaten apple
which mug is red                     | red mug
no, the red one                      | red object
my phone                             | phone
batter                               | batter
train on left track                  | train [on (track [on the left])]
the horse that the man is riding     | horse that man riding
the mug in the picture               | mug
"""


@pytest.mark.parametrize(
    ('text', 'tree'),
    [
        tuple(part.strip() for part in line.split('|'))
        for table in (SIDES_AND_ORDERS, ORDINALS, RELATIONS, NEGATIONS, NUMBERS, ATTRIBUTES)
        for line in table.strip().splitlines()
    ],
)
def test_examples(parser, text, tree):
    assert notation(parser.parse(text).phrase) == normal_form(tree)


@pytest.mark.parametrize(
    'text',
    [
        'all but the leftmost mug',
        'all but two mugs',
        'all except the one on the left',
        'all the mugs except',
        'all mugs but those',
        'all the mugs except the leftmost one',
        'any mug but the leftmost',
        'the mug other than the biggest',
        'all mugs but the last',
        'all mugs but one',
        'every mug except for the second from the left',
        'all mugs excluding the one closest to the plate',
        'all mugs except the mug next to the leftmost plate',
        'everything except the mugs next to the plate',
        'the mug, but not the leftmost one',
        'the mug that is not the biggest one',
        'the plate left of all mugs but the leftmost',
    ],
)
def test_what_cannot_be_left_out_is_refused(parser, text):
    """The objects that are left out must never be the answer."""
    with pytest.raises(InvalidCommandError) as caught:
        parser.parse(text)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    'text',
    [
        'the mug left of the plate or behind the box',
        'the mug on the left or right',
        'the leftmost or rightmost mug',
        'the second or third mug from the left',
        'the mug that is red or on the left',
    ],
)
def test_alternatives_of_places_are_refused(parser, text):
    with pytest.raises(InvalidCommandError, match='name one of them'):
        parser.parse(text)


@pytest.mark.parametrize(
    ('text', 'verb', 'expression'),
    [
        (
            'pick the thing up that is left of the mug',
            'pick',
            'the thing up that is left of the mug',
        ),
        ('put the red cup on the tray', 'put', 'the red cup'),
        ('put the cup that is on the plate on the tray', 'put', 'the cup that is on the plate'),
        ('move the ball to the left', 'move', 'the ball'),
        ('move the ball furthest to the left', 'move', 'the ball furthest to the left'),
        ('bring the red mug to the kitchen', 'bring', 'the red mug'),
        ('bring me the closest cup to the plate', 'bring', 'the closest cup to the plate'),
        ('get me something to drink', 'get', 'something to drink'),
        ('take the mug and put it in the box', 'take', 'the mug'),
        ('tell me where the red mug is', 'tell', 'the red mug'),
        ('can you pass the blender over there', 'pass', 'the blender'),
        ('okay robot now take the glass away', 'take', 'the glass'),
        ('place the bowl on the top shelf', 'place', 'the bowl'),
        ('drop it into the trash bin', 'drop', 'the trash bin'),
        ('hand on the table', '', 'hand on the table'),
        ('watch with black strap', '', 'watch with black strap'),
        ('hey, what about the red mug?', '', 'the red mug'),
    ],
)
def test_orders_end_where_their_object_ends(parser, text, verb, expression):
    parsed = parser.parse(text)
    assert (parsed.action_verb, parsed.expression) == (verb, expression)


def test_spans_are_of_the_words(parser):
    parsed = parser.parse(
        'pick up the small red mug that is left of the second plate from the right'
    )
    phrase, text = parsed.phrase, parsed.expression

    def said(span):
        return text[slice(*span)]

    assert said(phrase.span) == text
    assert said(phrase.head) == 'mug'
    assert phrase.head == parsed.primary_word
    assert [said(span) for span in phrase.attributes] == ['small', 'red']
    (relation,) = phrase.relations
    assert (relation.relation, said(relation.span)) == (Relation.LEFT_OF, 'left of')
    (anchor,) = relation.anchors
    assert said(anchor.span) == 'the second plate from the right'
    (ordinal,) = anchor.superlatives
    assert (ordinal.order, ordinal.rank) == (Order.RIGHTMOST, 2)
    assert said(ordinal.span) == 'second plate from the right'
    (side,) = parser.parse('mug on the left').phrase.sides
    assert (side.side, side.span, side.is_negated) == (Side.LEFT, (4, 15), False)


def test_texts_are_what_a_matcher_is_asked(parser):
    phrase = parser.parse('all the mugs that are not red between the plates').phrase
    assert phrase.texts() == ('mug', 'red mug', 'plate')
    assert [each.text for each in phrase.noun_phrases()] == ['mug', 'plate', 'plate']


def test_the_parse_tells_whose_location_it_is(parser):
    """After 'with' the words alone do not say whether the location is of the noun after it."""
    assert not parser.parse('a fridge with magnets on the door').phrase.relations
    assert parser.parse('a slice of cake on a plate').phrase.relations


def test_nesting_is_bounded(parser):
    phrase = parser.parse('the mug' + ' left of the mug' * 14).phrase
    depth = 0
    while phrase.relations:
        (phrase,) = phrase.relations[0].anchors
        depth += 1
    assert depth == MAX_DEPTH
    assert phrase.text.count('mug') == 15 - MAX_DEPTH


SALAD = """the a red mug mugs left right top back front middle closest second last of to from in on
between and or not no n't that is which with without all two one anything , . ' - most far side
hand plate bottle holding sitting except but me it put pick up please 2nd than"""

REFUSED = {'not', "n't", 'but', 'except', 'or'}  # what may introduce an exception or alternative


@given(
    st.lists(st.sampled_from(SALAD.split()), min_size=1, max_size=12).map(' '.join)
    | st.text(max_size=50)
)
@settings(max_examples=150, deadline=None)
def test_any_text_has_a_phrase(parser, text):
    if not any(map(str.isalnum, normalised(text))):
        with pytest.raises(InvalidCommandError):
            parser.parse(text)
        return
    try:
        parsed = parser.parse(text)
    except InvalidCommandError:
        assert set(text.lower().split()) & REFUSED
        return
    assert parser.parse(text) == parsed
    size = len(parsed.expression)
    assert parsed.phrase.head == parsed.primary_word
    for phrase in parsed.phrase.noun_phrases():
        assert phrase.text == phrase.text.lower().strip() != ''
        assert all(excluded.strip() for excluded in phrase.excluded)
        parts = (*phrase.superlatives, *phrase.sides, *phrase.relations)
        spans = [phrase.span, *phrase.attributes, *(part.span for part in parts)]
        for start, end in [*spans, *([phrase.head] if phrase.head else [])]:
            assert 0 <= start < end <= size
        assert all(each.rank >= 1 for each in phrase.superlatives)
        for relation in phrase.relations:
            assert len(relation.anchors) == (2 if relation.relation is Relation.BETWEEN else 1)
