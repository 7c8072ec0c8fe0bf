"""Commands carried out by the simulated gripper: the object that was meant, lifted and held.

In each scene a typed command is answered by a profile on an image with depth; the first of its
grasps that is within reach is carried out under physics, once. Nothing moves unless one object is
found. With --spoken the command is spoken as in speech.py, by espeak-ng in white noise of 20 dB,
recognised by pocketsphinx, and its hypotheses are put to the image.

python benchmarks/pick.py [--true-masks | --absent | --spoken] [--scenes 200] [--split test]
                          [--json FILE] [--sheet FILE]
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from textwrap import fill

import numpy as np
from numpy.typing import NDArray

if __name__ == '__main__' and '--help' not in sys.argv:
    os.environ.setdefault('OMP_NUM_THREADS', '2')  # read by PyTorch when it is imported

from speech import in_noise, voice_of
from tqdm import tqdm

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.dialogue.spoken import ground_spoken
from iterprime_ros.evaluation.contact_sheet import Panel, contact_sheet
from iterprime_ros.geometry.grasp import Grasp
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.render import overlay
from iterprime_ros.sim.expressions import (
    ReferringExpression,
    Stratum,
    sample_command,
    sample_expression,
)
from iterprime_ros.sim.physics import PhysicsWorld
from iterprime_ros.sim.picking import PickResult, pick
from iterprime_ros.sim.reach import in_world, reason_not_to_reach, rest_pose
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import PICK_CALIBRATION, PICK_TEST
from iterprime_ros.sim.view import View, view_of
from iterprime_ros.spatial.grasping import grasps_of
from iterprime_ros.speech.commands import spoken_text
from iterprime_ros.speech.espeak import speak
from iterprime_ros.speech.recognizer import Hypothesis, Recognizer
from iterprime_ros.speech.sphinx import SphinxRecognizer

SPLITS = {'test': PICK_TEST, 'calibration': PICK_CALIBRATION}
GOALS = {
    'lifted': ('>=', 0.85),
    'lifted, true masks': ('>=', 0.95),
    'lifted, spoken': ('>=', 0.75),
    'wrong touched': ('<=', 0.03),
    'nothing moved': ('>=', 0.97),
}
_VERBS = ('pick', 'grab', 'take', 'get', 'bring', 'give', 'hand', 'pass', 'fetch', 'lift')
_NOT_ONE = (Stratum.ABSENT, Stratum.PLURAL, Stratum.AMBIGUOUS)
_PANELS = 48


@dataclass
class Trial:
    """A command and what became of it.

    seed: of the scene.
    command: what was typed or spoken.
    stratum: of its expression.
    target, kind, size: the object that is meant; 0 and empty for none.
    reason: why the target was not lifted, in a word or two; empty where it was.
    text: the same in a sentence.
    moved: whether the gripper left its place.
    touched: ids of the objects that it touched.
    slip: in metres, where something was lifted.
    milliseconds: by part; the motion in simulated time.
    voice, speed: that spoke, in words per minute; empty and 0 where it was typed.
    understood: what is taken for it, where it was spoken.
    """

    seed: int
    command: str
    stratum: str
    target: int
    kind: str
    size: str
    reason: str = ''
    text: str = ''
    moved: bool = False
    touched: tuple[int, ...] = ()
    slip: float = 0.0
    milliseconds: dict[str, float] = field(default_factory=dict)
    voice: str = ''
    speed: int = 0
    understood: str = ''

    @property
    def is_wrong_touched(self) -> bool:
        """Whether the gripper touched an object that was not meant."""
        return bool(set(self.touched) - {self.target})


def commands(
    rng: np.random.Generator, view: View, strata: Sequence[Stratum]
) -> Iterator[tuple[str, ReferringExpression]]:
    """Yield a command and its expression for each stratum that the scene allows, shuffled."""
    for number in rng.permutation(len(strata)):
        drawn = sample_expression(rng, view, strata[number])
        if drawn is None:
            continue
        while True:
            command = sample_command(rng, drawn.text)
            if command.action_verb in _VERBS:
                yield command.text, drawn
                break


def drawn_trial(picture: Picture, is_absent: bool) -> Trial | None:
    """Return a command about a picture; None if none is drawn."""
    seed = picture.scene.seed
    strata = [Stratum.ABSENT] if is_absent else [s for s in Stratum if s not in _NOT_ONE]
    rng = np.random.default_rng([seed, 29])
    command, drawn = next(commands(rng, view_of(picture), strata), (None, None))
    if command is None or drawn is None:
        return None
    target = drawn.target or 0
    item = picture.scene.objects[target - 1] if target else None
    kind, size = (item.kind, item.size) if item else ('', '')
    return Trial(seed, command, drawn.stratum.value, target, kind, size)


def heard(trial: Trial, recognizer: Recognizer, split: str, number: int) -> list[Hypothesis]:
    """Speak the command of a trial; return what the recogniser makes of it."""
    trial.voice, trial.speed = voice_of(split, number)
    trial.command = spoken_text(trial.command)
    rng = np.random.default_rng([trial.seed, 31])
    sound = in_noise(speak(trial.command, trial.voice, trial.speed), rng)
    recognizer.start()
    recognizer.hear(sound)
    started = time.perf_counter()
    found = recognizer.finish()
    trial.milliseconds['recognise'] = 1e3 * (time.perf_counter() - started)
    return list(found) or [Hypothesis('', 1.0)]


def answer(
    trial: Trial, model: IteRPrimE, frame: Frame, said: Sequence[Hypothesis]
) -> Segmentation:
    """Return the answer to a command, or to what was heard of it."""
    if not said:
        return model.segment(frame, trial.command)
    spoken = ground_spoken(model, frame, said)
    trial.understood = spoken.hypothesis.text
    return spoken.segmentation


def look(
    trial: Trial, picture: Picture, model: IteRPrimE | None, said: Sequence[Hypothesis] = ()
) -> tuple[NDArray[np.bool_], Grasp | None]:
    """Return the mask of the answer, and the grasp in the world frame to carry out, if any.

    model: None for the true mask.
    said: what was heard, where the command is spoken.
    """
    started = time.perf_counter()
    mask = picture.ids == trial.target
    if model is not None:
        frame = model.embed(picture.rgb, picture.depth, picture.pinhole)
        found = answer(trial, model, frame, said)
        mask = found.mask
        trial.milliseconds['parse and ground'] = 1e3 * (time.perf_counter() - started)
        if found.status is not Status.FOUND:
            trial.reason, trial.text = found.status.value.lower().replace('_', ' '), found.text
            return mask, None
    started = time.perf_counter()
    gripper = ParallelGripper()
    grasps = grasps_of(mask, picture.depth, picture.pinhole, gripper)
    trial.milliseconds['grasp'] = 1e3 * (time.perf_counter() - started)
    reasons = []
    for each in grasps.grasps:
        grasp = in_world(each, picture.scene.camera)
        reasons.append(reason_not_to_reach(grasp, gripper))
        if not reasons[-1]:
            return mask, grasp
    trial.reason = 'out of reach' if reasons else 'no grasp'
    trial.text = reasons[0] if reasons else grasps.reason
    return mask, None


def carry_out(trial: Trial, world: PhysicsWorld, grasp: Grasp) -> None:
    """Pick, and note in the trial what became of it."""
    started = time.perf_counter()
    result = pick(world, grasp)
    trial.milliseconds['motion'] = 1e3 * world.time
    trial.milliseconds['simulating it'] = 1e3 * (time.perf_counter() - started)
    trial.moved, trial.touched, trial.slip = True, result.touched, result.slip
    if not result.success or result.object_id != trial.target:
        trial.reason, trial.text = _why(trial, result), result.text


def _why(trial: Trial, result: PickResult) -> str:
    if result.success:
        return 'another object lifted'
    if trial.is_wrong_touched and trial.target not in trial.touched:
        return 'another object touched'
    return 'not held'


def run(options: argparse.Namespace) -> tuple[list[Trial], list[Panel]]:
    """Return a trial of every scene, and a panel of each that failed."""
    model = None
    if not options.true_masks:
        model = IteRPrimE.from_profile(options.profile, 'cpu', offline=True)
    recognizer = SphinxRecognizer() if options.spoken else None
    gripper = ParallelGripper()
    trials: list[Trial] = []
    panels: list[Panel] = []
    with Renderer() as renderer:
        if model is not None:  # the first answer takes longer
            first = renderer.render(sample_scene(0))
            model.segment(model.embed(first.rgb, first.depth, first.pinhole), 'the mug')
        for seed in tqdm(SPLITS[options.split], unit=' scenes', total=options.scenes, disable=None):
            if len(trials) == options.scenes:
                break
            scene = sample_scene(seed)
            world = PhysicsWorld(scene, gripper, rest_pose(scene.camera, gripper))
            picture = renderer.render(scene, world.moment)
            trial = drawn_trial(picture, options.absent)
            if trial is None:
                continue
            said = heard(trial, recognizer, options.split, len(trials)) if recognizer else []
            mask, grasp = look(trial, picture, model, said)
            if grasp is not None:
                carry_out(trial, world, grasp)
            trials.append(trial)
            if trial.moved if options.absent else trial.reason:
                panels.append(_panel(picture, trial, mask))
    return trials, panels


def _panel(picture: Picture, trial: Trial, mask: NDArray[np.bool_]) -> Panel:
    target = (picture.ids == trial.target)[::2, ::2] if trial.target else None
    lines = [f'{trial.seed}: {trial.command}']
    if trial.understood not in ('', trial.command):
        lines.append(f'understood: {trial.understood}')
    lines.append(f'{trial.reason or "moved"}: {trial.text}')
    return Panel(
        overlay(picture.rgb, mask)[::2, ::2], target, '\n'.join(fill(line, 40) for line in lines)
    )


def figures_of(trials: list[Trial], options: argparse.Namespace) -> dict[str, float]:
    """Return the shares that the benchmark is about."""
    count = len(trials)
    if options.absent:
        return {'nothing moved': sum(not each.moved for each in trials) / count}
    name = 'lifted'
    if options.true_masks or options.spoken:
        name = 'lifted, true masks' if options.true_masks else 'lifted, spoken'
    return {
        name: sum(not each.reason for each in trials) / count,
        'wrong touched': sum(each.is_wrong_touched for each in trials) / count,
    }


def report(trials: list[Trial], options: argparse.Namespace) -> None:
    """Print the figures, why objects were not lifted, and the time by part."""
    masks = 'true masks' if options.true_masks else f'profile {options.profile}'
    what = 'absent objects, ' if options.absent else 'spoken, ' if options.spoken else ''
    print(f'{len(trials)} scenes ({options.split}), {what}{masks}')
    for name, value in figures_of(trials, options).items():
        sign, goal = GOALS[name]
        print(f'  {name:<20} {value:6.3f}   goal {sign} {goal:.2f}')
    if options.spoken:
        exact = [each.understood == each.command for each in trials]
        wrong = [each for each in trials if each.reason and each.understood != each.command]
        print(f'  understood word for word: {sum(exact)}, not and not lifted: {len(wrong)}')
    if not options.absent:
        for reason, count in Counter(each.reason for each in trials if each.reason).most_common():
            print(f'  not lifted: {reason:<24} {count}')
        by_kind = defaultdict(list)
        for each in trials:
            by_kind[each.kind].append(not each.reason)
        shares = (f'{kind} {sum(some)}/{len(some)}' for kind, some in sorted(by_kind.items()))
        print(f'  lifted by kind: {", ".join(shares)}')
        slips = [1e3 * each.slip for each in trials if not each.reason]
        if slips:
            print(f'  slip: median {statistics.median(slips):.1f} mm, most {max(slips):.1f} mm')
    parts = defaultdict(list)
    for each in trials:
        for part, spent in each.milliseconds.items():
            parts[part].append(spent)
    for part, some in parts.items():
        print(
            f'  {part:<20} median {statistics.median(some):7.0f} ms, '
            f'p95 {np.percentile(some, 95):7.0f} ms'
        )


def main() -> int:
    """Print the table; with --json and --sheet, write trials and the failures' pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument('--true-masks', action='store_true', help='set perception aside')
    kind.add_argument('--absent', action='store_true', help='ask for objects that are not there')
    kind.add_argument('--spoken', action='store_true', help='speak the commands, in noise')
    parser.add_argument('--scenes', type=int, default=200, help='how many (default: 200)')
    parser.add_argument('--split', choices=SPLITS, default='test', help='(default: test)')
    parser.add_argument('--profile', default='tabletop', help='(default: tabletop)')
    parser.add_argument('--json', type=Path, help='write figures and trials to this file')
    parser.add_argument('--sheet', type=Path, help='write a picture of the failures to this file')
    options = parser.parse_args()
    if not 1 <= options.scenes <= len(SPLITS[options.split]) // 2:
        parser.error(f'--scenes must be from 1 to {len(SPLITS[options.split]) // 2}')
    trials, panels = run(options)
    report(trials, options)
    if options.json:
        figures = {**figures_of(trials, options), 'trials': [asdict(each) for each in trials]}
        options.json.write_text(json.dumps(figures, indent=1))
    if options.sheet and panels:
        title = f'{len(panels)} of {len(trials)} commands that failed'
        contact_sheet(title, panels[:_PANELS]).savefig(options.sheet)
    return 0


if __name__ == '__main__':
    sys.exit(main())
