"""Random referring expressions about a view, each with its targets, and commands with them."""

from dataclasses import dataclass

from numpy.random import Generator

from iterprime_ros.sim.grammar import Wording, wordings
from iterprime_ros.sim.logical_form import Phrase
from iterprime_ros.sim.phrase_sampling import Stratum, altered_phrase, choice, draw_phrase
from iterprime_ros.sim.semantics import meaning
from iterprime_ros.sim.view import View

__all__ = [
    'Command',
    'ReferringExpression',
    'Stratum',
    'altered_phrase',
    'sample_command',
    'sample_expression',
]

_TRIES = 40


@dataclass(frozen=True)
class ReferringExpression:
    """A referring expression and its targets.

    wording: the text and the span of its head noun.
    phrase: the logical form of the text.
    stratum: the stratum that the expression was drawn from.
    targets: ids of the objects that it fits: one, none (ABSENT), all that are meant (PLURAL), or
        those between which it leaves open which is meant (AMBIGUOUS).
    """

    wording: Wording
    phrase: Phrase
    stratum: Stratum
    targets: frozenset[int]

    @property
    def target(self) -> int | None:
        """Id of the one object that is meant; None if it is none, several, or unclear which."""
        is_open = self.stratum in (Stratum.PLURAL, Stratum.AMBIGUOUS)
        return None if is_open else next(iter(self.targets), None)

    @property
    def text(self) -> str:
        """The words of the expression."""
        return self.wording.text


@dataclass(frozen=True)
class Command:
    """A command that contains a referring expression.

    text: the whole command.
    action_verb: the verb that names the action; one of the words of text.
    expression_span: [start, end) of the expression in text, in characters.
    """

    text: str
    action_verb: str
    expression_span: tuple[int, int]


# Action verb: its imperatives; {x} is the expression.
_IMPERATIVES = {
    'pick': ('pick up {x}', 'pick {x} up'),
    'grab': ('grab {x}',),
    'take': ('take {x}',),
    'get': ('get {x}', 'get me {x}'),
    'bring': ('bring me {x}',),
    'give': ('give me {x}',),
    'hand': ('hand me {x}', 'hand over {x}'),
    'pass': ('pass me {x}',),
    'fetch': ('fetch {x}',),
    'find': ('find {x}',),
    'show': ('show me {x}',),
    'point': ('point at {x}', 'point to {x}'),
    'look': ('look at {x}',),
    'touch': ('touch {x}',),
    'lift': ('lift {x}',),
    'push': ('push {x}',),
    'move': ('move {x}', 'move to {x}'),
}
_CARRIER_PHRASES = (
    '{imperative}',
    'please {imperative}',
    '{imperative} please',
    'could you {imperative}',
    'can you please {imperative}',
    'could you please {imperative}',
    'i want you to {imperative}',
    'robot, {imperative}',
    'now {imperative}',
)


def sample_expression(rng: Generator, view: View, stratum: Stratum) -> ReferringExpression | None:
    """Draw an expression that clearly means what its stratum says.

    Returns None if no expression of the stratum is found within a fixed number of tries.
    """
    for _ in range(_TRIES):
        phrase, targets = draw_phrase(rng, view, stratum)
        if phrase and meaning(phrase, view) == (targets, targets):
            wording = choice(rng, wordings(phrase))
            return ReferringExpression(wording, phrase, stratum, targets)
    return None


def sample_command(rng: Generator, expression: str) -> Command:
    """Draw a command whose object is `expression`."""
    verb = choice(rng, list(_IMPERATIVES))
    carrier = choice(rng, _CARRIER_PHRASES)
    template = carrier.format(imperative=choice(rng, _IMPERATIVES[verb]))
    start = template.index('{x}')
    return Command(template.replace('{x}', expression), verb, (start, start + len(expression)))
