"""Whether asking back finds the object that is meant, on scenes where several fit a command.

The person means one of the objects that fit, at random, and replies up to three times: with the
words of the question, with the place of the choice in it, or with own words that are true of this
object alone.

python benchmarks/dialogue.py [--scenes 300] [--first 4000000] [--json FILE]
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from tqdm import tqdm

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.dialogue.exchange import take_turn
from iterprime_ros.dialogue.question import Question, question_for
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.sim.expressions import (
    ReferringExpression,
    Stratum,
    sample_command,
    sample_expression,
)
from iterprime_ros.sim.logical_form import Description, Phrase
from iterprime_ros.sim.parsing import command_meaning
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import FRESH
from iterprime_ros.sim.semantics import COLUMN_MARGIN, meaning
from iterprime_ros.sim.view import View, view_of
from iterprime_ros.speech.recognizer import Hypothesis

_COVERED = 0.5  # IoU from which a mask is of an object
_PLACES = ('first', 'second', 'third')
WAYS = {
    'named': 'replies in the words of the question',
    'place': 'replies by place in the question',
    'own': 'replies in other words',
}


@dataclass(frozen=True)
class Case:
    """A scene, and a command that several of its objects fit."""

    seed: int
    picture: Picture
    view: View
    expression: ReferringExpression
    command: str


def cases(seeds: range) -> Iterator[Case]:
    """Yield the scenes in which something ambiguous can be said."""
    with Renderer() as renderer:
        for seed in seeds:
            rng = np.random.default_rng(seed)
            picture = renderer.render(sample_scene(seed))
            view = view_of(picture)
            expression = sample_expression(rng, view, Stratum.AMBIGUOUS)
            if expression:
                command = sample_command(rng, expression.text).text
                yield Case(seed, picture, view, expression, command)


def covered(mask: np.ndarray, picture: Picture) -> int:
    """Return the id of the object that a mask is of, 0 for none."""
    ids, counts = np.unique(picture.ids[mask], return_counts=True)
    for k, count in sorted(
        zip(ids.tolist(), counts.tolist(), strict=True), key=lambda each: -each[1]
    ):
        if k and count / (mask | (picture.ids == k)).sum() >= _COVERED:
            return int(k)
    return 0


def own_words(rng: Generator, case: Case, target: int) -> str | None:
    """Return a reply that is true of one of the objects that fit and no other."""
    fitting = [item for item in case.view.objects if item.id in case.expression.targets]
    meant = next(item for item in fitting if item.id == target)
    others = [item for item in fitting if item.id != target]
    said = list[str]()
    if all(item.colour != meant.colour for item in others):
        said += [f'the {meant.colour} one', meant.colour, f'no, the {meant.colour} one']
    if all(item.size != meant.size for item in others):
        said += [f'the {meant.size} one', f'i mean the {meant.size} one']
    if all(item.column - meant.column > COLUMN_MARGIN for item in others):
        said += ['the left one', 'the one on the left', 'left']
    if all(meant.column - item.column > COLUMN_MARGIN for item in others):
        said += ['the right one', 'the rightmost', 'take the one on the right']
    for anchor in case.view.objects:
        description = Description(anchor.kind, anchor.colour)
        if anchor.id in case.expression.targets or meaning(
            Phrase(description), case.view
        ).possible != {anchor.id}:
            continue
        for word, relation in (('left of', -1), ('right of', 1)):
            sides = [relation * (item.column - anchor.column) for item in (meant, *others)]
            if sides[0] > COLUMN_MARGIN and max(sides[1:]) < -COLUMN_MARGIN:
                said.append(f'the one {word} the {anchor.colour} {anchor.kind}')
    return str(rng.choice(said)) if said else None


def reply_to(
    rng: Generator, question: Question, case: Case, answer: Segmentation, target: int, way: str
) -> str | None:
    """Return what a person says who means an object; None who knows no words for it."""
    own = own_words(rng, case, target)
    naming = [
        (number, choice)
        for number, choice in enumerate(question.choices)
        if covered(answer.candidates[choice.candidate].mask, case.picture) == target
    ]
    if not naming or (way == 'own' and own):
        return own
    number, choice = naming[0]
    is_counted = 'from the' in choice.words
    if way != 'place' or number >= len(_PLACES) or is_counted:
        return choice.words
    return f'the {_PLACES[number]} one'


def dialogue(
    model: IteRPrimE, frame: Frame, case: Case, target: int, way: str
) -> tuple[str, list[str]]:
    """Return what a dialogue about an object comes to, and what was said in it."""
    rng = np.random.default_rng([case.seed, 1])
    turn, said = take_turn(model, frame, [Hypothesis(case.command, 1.0)]), [case.command]
    while turn.next is not None:
        question = turn.next.question
        reply = reply_to(rng, question, case, turn.answer, target, way)
        said += [question.text, reply or '']
        if reply is None:
            return 'no words', said
        turn = take_turn(model, frame, [Hypothesis(reply, 1.0)], turn.next)
        said += turn.answer.notes
    said.append(turn.answer.text)
    if turn.answer.status is not Status.FOUND:
        return turn.answer.status.value, said
    return ('right' if covered(turn.answer.mask, case.picture) == target else 'wrong'), said


def judge_question(
    model: IteRPrimE, frame: Frame, case: Case, counts: Counter[str], log: list[Any]
) -> None:
    """Count whether the question names objects that fit, and commands that mean them."""
    answer = model.segment(frame, case.command)
    question = question_for(answer)
    counts['commands'] += 1
    if question is None:
        return
    named = [covered(answer.candidates[c.candidate].mask, case.picture) for c in question.choices]
    counts['questions'] += 1
    counts['with choices'] += bool(named)
    is_right = len(set(named)) == len(named) and set(named) <= case.expression.targets
    counts['right'] += bool(named) and is_right
    for choice, number in zip(question.choices, named, strict=True):
        meant = command_meaning(choice.command, case.view)
        again = model.segment(frame, choice.command)
        is_found = again.status is Status.FOUND and covered(again.mask, case.picture) == number
        counts['choices'] += 1
        counts['choices found'] += is_found
        counts['parsed'] += meant is not None
        is_meant = meant is not None and number in meant.possible
        counts['parsed, meant'] += is_meant
        if not is_found or (meant is not None and not is_meant):
            log.append([case.seed, case.command, question.text, choice.command, again.text])


def measured(options: argparse.Namespace) -> tuple[Counter[str], list[Any]]:
    """Return the counts, and what went wrong."""
    model = IteRPrimE.from_profile(options.profile, 'cpu', offline=True)
    counts: Counter[str] = Counter()
    log: list[Any] = []
    seeds = range(options.first, options.first + options.scenes)
    for case in tqdm(cases(seeds), total=len(seeds), unit=' scenes', disable=None):
        picture = case.picture
        frame = model.embed(picture.rgb, picture.depth, picture.pinhole)
        judge_question(model, frame, case, counts, log)
        target = int(np.random.default_rng(case.seed).choice(sorted(case.expression.targets)))
        for way in WAYS:
            outcome, said = dialogue(model, frame, case, target, way)
            counts[f'{way}: {outcome}'] += 1
            if outcome != 'right':
                log.append([case.seed, way, outcome, target, *said])
    return counts, log


def print_table(counts: Counter[str]) -> None:
    """Print what share of commands, questions and replies came to what they should."""

    def share(what: str, part: str, whole: str) -> None:
        value = counts[part] / max(1, counts[whole])
        print(f'{what:<58} {counts[part]:>4} of {counts[whole]:<4} {value:.3f}')

    share('ambiguous commands that are asked about', 'questions', 'commands')
    share('questions that name objects that fit, each another', 'right', 'questions')
    share('choices whose whole command finds their object', 'choices found', 'choices')
    share("choices whose command the simulator's grammar reads so", 'parsed, meant', 'parsed')
    for way, what in WAYS.items():
        share(f'right object in three turns, {what}', f'{way}: right', 'commands')
        others = {name: n for name, n in counts.items() if name.startswith(f'{way}: ')}
        print('   ', ', '.join(f'{name.partition(": ")[2]} {n}' for name, n in others.items()))


def main() -> int:
    """Print the table; with --json, write the figures too."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--scenes', type=int, default=300, help='how many (default: 300)')
    parser.add_argument('--first', type=int, default=FRESH.start, help='seed of the first scene')
    parser.add_argument('--profile', default='tabletop', help='to measure (default: tabletop)')
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    parser.add_argument('--log', type=Path, help='write what went wrong to this file')
    options = parser.parse_args()
    counts, log = measured(options)
    print_table(counts)
    if options.json:
        options.json.write_text(json.dumps(dict(counts), indent=2) + '\n')
    if options.log:
        options.log.write_text(''.join(json.dumps(line) + '\n' for line in log))
    return 0


if __name__ == '__main__':
    sys.exit(main())
