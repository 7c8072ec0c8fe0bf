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
from iterprime_ros.dialogue.question import Choice, Question, question_for
from iterprime_ros.dialogue.reply import ReplyKind, understood
from iterprime_ros.pipeline import IteRPrimE
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

_COVERED = 0.5  # IoU from which a mask is of an object
_MAX_TURNS = 3
_NUMBERS = ('first', 'second', 'third')
WAYS = ('named', 'number', 'own')


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
    """Return what a person says who means an object."""
    naming = [
        (number, choice)
        for number, choice in enumerate(question.choices)
        if covered(answer.candidates[choice.candidate].mask, case.picture) == target
    ]
    if way == 'own' or not naming:
        return own_words(rng, case, target)
    number, choice = naming[0]
    if way == 'named' or number >= len(_NUMBERS) or 'from the' in choice.words:
        return choice.words
    return f'the {_NUMBERS[number]} one'


def choices_are_right(question: Question, answer: Segmentation, case: Case) -> bool:
    """Whether every object that is named is one that fits, each another one."""
    named = [
        covered(answer.candidates[each.candidate].mask, case.picture) for each in question.choices
    ]
    return bool(named) and len(set(named)) == len(named) and set(named) <= case.expression.targets


def command_is_right(choice: Choice, answer: Segmentation, case: Case) -> bool | None:
    """Whether the simulator's grammar takes the command of a choice for it; None if it cannot."""
    meant = command_meaning(choice.command, case.view)
    if meant is None:
        return None
    return covered(answer.candidates[choice.candidate].mask, case.picture) in meant.possible


def main() -> int:
    """Print the table; with --json, write the figures too."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--scenes', type=int, default=300, help='how many (default: 300)')
    parser.add_argument('--first', type=int, default=FRESH.start, help='seed of the first scene')
    parser.add_argument('--profile', default='tabletop', help='to measure (default: tabletop)')
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    parser.add_argument('--log', type=Path, help='also write every dialogue to this file')
    options = parser.parse_args()
    model = IteRPrimE.from_profile(options.profile)
    counts: Counter[str] = Counter()
    log: list[Any] = []
    seeds = range(options.first, options.first + options.scenes)
    for case in tqdm(cases(seeds), total=len(seeds)):
        picture = case.picture
        frame = model.embed(picture.rgb, picture.depth, picture.pinhole)
        answer = model.segment(frame, case.command)
        counts['said'] += 1
        counts[answer.status.value] += 1
        question = question_for(answer)
        if question is None:
            continue
        counts['asked'] += 1
        counts['with choices'] += bool(question.choices)
        right = choices_are_right(question, answer, case)
        counts['choices right'] += right
        for choice in question.choices:
            verdict = command_is_right(choice, answer, case)
            counts['commands parsed'] += verdict is not None
            counts['commands right'] += verdict is True
            again = model.segment(frame, choice.command)
            counts['choices'] += 1
            is_found = again.status is Status.FOUND and covered(again.mask, picture) == covered(
                answer.candidates[choice.candidate].mask, picture
            )
            counts['choices found'] += is_found
            if not is_found or verdict is False:
                log.append(
                    [case.seed, case.command, question.text, choice.command, again.text, verdict]
                )
        for way in WAYS:
            rng = np.random.default_rng(case.seed)
            target = int(rng.choice(sorted(case.expression.targets)))
            outcome, said = dialogue(model, frame, rng, case, answer, target, way)
            counts[f'{way}: {outcome}'] += 1
            if outcome != 'right':
                log.append([case.seed, way, outcome, target, *said])
    for name, count in sorted(counts.items()):
        print(f'{name:30} {count}')
    if options.json:
        options.json.write_text(json.dumps(dict(counts), indent=2) + '\n')
    if options.log:
        options.log.write_text(''.join(json.dumps(line) + '\n' for line in log))
    return 0


def dialogue(
    model: IteRPrimE,
    frame: Any,
    rng: Generator,
    case: Case,
    answer: Segmentation,
    target: int,
    way: str,
) -> tuple[str, list[str]]:
    """Return what a dialogue comes to, and what was said in it."""
    said = [case.command]
    for _ in range(_MAX_TURNS):
        question = question_for(answer)
        if question is None:
            break
        said.append(question.text)
        reply = reply_to(rng, question, case, answer, target, way)
        if reply is None:
            return 'no words', said
        said.append(reply)
        taken = understood(reply, question, model.parser)
        if taken.kind is ReplyKind.END:
            return 'ended', said
        said.append(f'{taken.kind.value}: {taken.command}')
        answer = model.segment(frame, taken.command)
    said.append(answer.text)
    if answer.status is not Status.FOUND:
        return answer.status.value, said
    return ('right' if covered(answer.mask, case.picture) == target else 'wrong'), said


if __name__ == '__main__':
    sys.exit(main())
