"""Commands taken apart: action verb, referring expression, primary word and focus words."""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import spacy
from spacy.tokens import Doc, Span, Token

from iterprime_ros.errors import (
    InvalidCommandError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from iterprime_ros.language.phrase import NounPhrase
from iterprime_ros.language.phrase_rules import PhraseRules
from iterprime_ros.language.rules import FOCUS, read, whole_expression

MAX_WORDS, MAX_CHARACTERS = 60, 600  # the rest is cut off before parsing
SHIPPED = Path(__file__).resolve().parent.parent / 'models' / 'language'


class BareExpression(str):
    """A referring expression, all of it: "hold bat" is a bat that is held, and not an order."""

    __slots__ = ()


@dataclass(frozen=True)
class ParsedCommand:
    """A command taken apart; spans are [start, end) characters of `expression`.

    text: the command, white space normalised, control characters removed, cut at MAX_WORDS words
        and MAX_CHARACTERS characters.
    action_verb: lower-case lemma of the order ('pick', 'hand'); '' for a bare expression, a
        question, a wish ('i need the mug') or a prohibition ('do not touch').
    expression: the referring expression, a part of text that is never empty.
    primary_word: the head noun of the expression; None where its head is no noun.
    focus_words: nouns, verbs, adjectives, proper nouns and numbers of the expression, in order;
        primary_word is one of them.
    phrase: the logical form of the expression.
    is_prohibition: whether it orders not to do something ("don't touch the vase") and nothing else;
        the expression is what must be left alone.
    """

    text: str
    action_verb: str
    expression: str
    primary_word: tuple[int, int] | None
    focus_words: tuple[tuple[int, int], ...]
    phrase: NounPhrase
    is_prohibition: bool = False


class CommandParser:
    """Parses commands with a spaCy pipeline that sets parts of speech and dependencies.

    Labels are those of Universal Dependencies or of spaCy's English pipelines. Raises
    WeightsMismatchError for a pipeline that leaves either empty.
    """

    def __init__(self, nlp: spacy.Language) -> None:
        probe = nlp('pick up the red mug')
        missing = [
            what
            for what, filled in (
                ('a tagger of parts of speech', all(token.pos for token in probe)),
                ('a dependency parser', probe.has_annotation('DEP')),
            )
            if not filled
        ]
        if missing:
            raise WeightsMismatchError(
                f'The spaCy pipeline "{nlp.meta["name"]}" lacks {" and ".join(missing)}: '
                'use one that has both, or the shipped one.'
            )
        self._nlp = nlp
        self._phrases = PhraseRules(nlp.vocab)

    @classmethod
    def load(cls, pipeline: str | Path | None = None) -> 'CommandParser':
        """Load the shipped pipeline, or one by the name of its package or by its folder.

        Raises WeightsNotFoundError when there is none of that name or folder, and
        WeightsMismatchError when it cannot be read or lacks the parts that are needed.
        """
        source = SHIPPED if pipeline is None else pipeline
        folder = Path(source)
        is_folder = False
        with suppress(OSError):  # a name too long for a folder
            is_folder = folder.is_dir()
        if pipeline is None and not is_folder:
            raise WeightsNotFoundError(
                f'The shipped language pipeline is not in {folder}: install the package again, or '
                'make it with python -m iterprime_ros.training.language --help.'
            )
        # Packages declare pipelines in their metadata; any other package must not be imported.
        if not is_folder and str(source) not in entry_points(group='spacy_models').names:
            raise WeightsNotFoundError(
                f'"{source}" is neither a folder nor an installed spaCy pipeline: '
                'give a folder, or install it with python -m spacy download NAME.'
            )
        if is_folder and not (folder / 'config.cfg').is_file():
            raise WeightsMismatchError(
                f'{folder} holds no spaCy pipeline: give the folder that has its config.cfg.'
            )
        try:
            nlp = spacy.load(folder if is_folder else source)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
            reason = ' '.join(str(error).split())[:200]
            raise WeightsMismatchError(
                f'The spaCy pipeline "{source}" cannot be read by spaCy {spacy.__version__}; '
                f'install one made for it ({reason}).'
            ) from error
        return cls(nlp)

    def analyse(self, text: str) -> Doc:
        """Return what the spaCy pipeline says of a text: tokens, tree, sentences, noun chunks."""
        return self._nlp(text)

    def parse(self, command: str) -> ParsedCommand:
        """Parse a command or a bare expression.

        Whether a text orders something is found out, unless it is a BareExpression.

        Raises InvalidCommandError for a text without letters or digits, for what is no text, and
        for what is left out by an exception that the phrase cannot express.
        """
        if not isinstance(command, str):
            raise InvalidCommandError(
                f'A command must be text, not {type(command).__name__}: name the object, '
                'as in "pick up the red mug".'
            )
        text = normalised(command)
        if not any(map(str.isalnum, text)):
            raise InvalidCommandError(
                'The command has no letters or digits: name the object, '
                'as in "pick up the red mug".'
            )
        doc = self._nlp.make_doc(text)
        for token in doc[1:]:
            token.is_sent_start = False  # a command is one tree
        doc = self._nlp(doc)
        is_bare = isinstance(command, BareExpression)
        reading = whole_expression(doc) if is_bare else read(doc)
        words = doc[reading.first : reading.last]
        phrase = self._phrases.read(doc, reading.first, reading.last)
        spans = ((token, _span(token, words)) for token in words)
        verb = reading.verb
        return ParsedCommand(
            text=text,
            action_verb=(verb.lemma_ or verb.text).lower() if verb else '',
            expression=words.text,
            primary_word=phrase.head,
            focus_words=tuple(
                span
                for token, span in spans
                if span == phrase.head
                or (token.pos_ in FOCUS and any(map(str.isalnum, token.text)))
            ),
            phrase=phrase,
            is_prohibition=reading.is_prohibition,
        )


def cut_note(command: ParsedCommand, received: str) -> str | None:
    """Return a sentence where a command was cut; received: the text before it was parsed."""
    words = received.split()
    if len(words) <= MAX_WORDS and len(' '.join(words)) <= MAX_CHARACTERS:
        return None
    return f'The command is too long and was cut after {len(command.text)} characters.'


def permitted(command: ParsedCommand) -> ParsedCommand:
    """Return a command; raises InvalidCommandError for a prohibition, which must not be done."""
    if command.is_prohibition:
        raise InvalidCommandError('This says what not to do: say which object is meant.')
    return command


def _span(token: Token, words: Span) -> tuple[int, int]:
    start = token.idx - words.start_char
    return start, start + len(token)


def normalised(command: str) -> str:
    """Return a command with single spaces, without control characters, cut to a bounded length."""
    kept = ''.join(' ' if unicodedata.category(c) in {'Cc', 'Cs'} else c for c in command)
    return ' '.join(kept.split()[:MAX_WORDS])[:MAX_CHARACTERS].strip()
