"""How many spoken commands about simulated tables are understood, and how many objects found.

Voices of espeak-ng say commands of the simulator at three speeds, in white noise of 20 dB. `alone`
is what pocketsphinx makes of the sound with the same grammar and dictionary; `sound` the likeliest
of its n-best list; `grounded` what ground_spoken takes of that list; `typed` the command itself.

python benchmarks/speech.py [--commands 200] [--absent 40] [--split test] [--json FILE] [--verbose]
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.dialogue.spoken import ground_spoken
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.expressions import Stratum, sample_command, sample_expression
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import CALIBRATION, FRESH
from iterprime_ros.sim.view import view_of
from iterprime_ros.speech import sphinx
from iterprime_ros.speech.audio import to_pcm
from iterprime_ros.speech.commands import spoken_text
from iterprime_ros.speech.espeak import speak
from iterprime_ros.speech.jsgf import grammar, words_of
from iterprime_ros.speech.pronunciations import dictionary_text
from iterprime_ros.speech.vocabulary import TABLETOP

# Two of America and two of England each; the settings were chosen with the second four.
VOICES = {
    'test': ('en-us', 'en-gb', 'en-us+f3', 'en-gb+f4'),
    'calibration': ('en-us+m4', 'en-gb+m2', 'en-us+f1', 'en-gb-x-rp'),
}
SEEDS = {'test': FRESH, 'calibration': CALIBRATION}
SPEEDS = (120, 150, 175)  # words per minute
NOISE = 20  # dB below the speech
PAUSE = 4800  # samples before and after
STRATA = (Stratum.ATTRIBUTES, Stratum.PLACE, Stratum.RELATION)
GOAL = 0.9
WAYS = ('alone', 'sound', 'grounded', 'typed')


@dataclass(frozen=True)
class Spoken:
    """A spoken command: its text, how it sounds, and what it means in a picture."""

    text: str
    voice: str
    speed: int
    sound: NDArray[np.float32]
    picture: Picture
    target: NDArray[np.bool_] | None


def spoken_commands(split: str, count: int, is_absent: bool) -> Iterator[Spoken]:
    """Yield commands, each about a scene of its own."""
    strata = (Stratum.ABSENT,) if is_absent else STRATA
    seeds = list(SEEDS[split])[::-1] if is_absent else SEEDS[split]
    done = 0
    with Renderer(640, 480) as renderer:
        for seed in seeds:
            if done == count:
                return
            rng = np.random.default_rng([seed, 23])
            picture = renderer.render(sample_scene(seed))
            drawn = sample_expression(rng, view_of(picture), strata[done % len(strata)])
            if drawn is None:
                continue
            text = spoken_text(sample_command(rng, drawn.text).text)
            voice, speed = voice_of(split, done)
            target = None if drawn.target is None else picture.ids == drawn.target
            sound = in_noise(speak(text, voice, speed), rng)
            yield Spoken(text, voice, speed, sound, picture, target)
            done += 1


def voice_of(split: str, number: int) -> tuple[str, int]:
    """Return the voice and the speed of a command, which take turns."""
    voices = VOICES[split]
    return voices[number % len(voices)], SPEEDS[number // len(voices) % len(SPEEDS)]


def in_noise(speech: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return speech between two pauses with white noise."""
    power = np.mean(speech**2) / 10 ** (NOISE / 10)
    sound = np.pad(speech, PAUSE)
    return np.clip(sound + rng.normal(0, np.sqrt(power), len(sound)), -1, 1).astype(np.float32)


class Alone:
    """pocketsphinx with the grammar, and nothing else."""

    def __init__(self, folder: Path) -> None:
        text = grammar(TABLETOP)
        words = dictionary_text(words_of(text), sphinx._dictionary())
        (folder / 'words.dict').write_text(words, encoding='utf-8')
        self._decoder = sphinx._decoder(text, folder / 'words.dict', sphinx._WIDE)

    def understood(self, sound: NDArray[np.float32]) -> str:
        """Return the text of a sound."""
        self._decoder.start_utt()
        self._decoder.process_raw(to_pcm(sound), full_utt=True)
        self._decoder.end_utt()
        guess = self._decoder.hyp()
        return guess.hypstr if guess else ''


def is_right(answer: Segmentation, target: NDArray[np.bool_] | None) -> bool:
    """Return whether an answer is the object that is meant, or that there is none."""
    if target is None:
        return answer.status is Status.NOT_FOUND
    if answer.status is not Status.FOUND:
        return False
    union = np.logical_or(answer.mask, target).sum()
    return bool(np.logical_and(answer.mask, target).sum() >= 0.5 * union)


def measured(split: str, count: int, is_absent: bool, verbose: bool) -> dict[str, Any]:
    """Return the shares by way, voice and speed."""
    model = IteRPrimE.from_profile('tabletop', 'cpu', offline=True)
    recognizer = sphinx.SphinxRecognizer()
    exact: dict[str, list[bool]] = defaultdict(list)
    right: dict[str, list[bool]] = defaultdict(list)
    outcomes: dict[str, list[str]] = defaultdict(list)
    listed, spent = [], []
    with tempfile.TemporaryDirectory() as folder:
        alone = Alone(Path(folder))
        commands = spoken_commands(split, count, is_absent)
        for said in tqdm(commands, unit=' commands', total=count, disable=None):
            began = time.process_time()
            recognizer.start()
            recognizer.hear(said.sound)
            streamed = time.process_time()
            found = recognizer.finish()
            recognised = time.process_time()
            picture = said.picture
            frame = model.embed(picture.rgb, picture.depth, picture.pinhole)
            encoded = time.process_time()
            spoken = ground_spoken(model, frame, found) if found else None
            spent.append((streamed - began, recognised - streamed, time.process_time() - encoded))
            texts = {
                'alone': alone.understood(said.sound),
                'sound': found[0].text if found else '',
                'grounded': spoken.hypothesis.text if spoken else '',
                'typed': said.text,
            }
            answers = dict(zip(texts, model.segment_many(frame, list(texts.values())), strict=True))
            if spoken is not None:
                answers['grounded'] = spoken.segmentation
            for way in WAYS:
                is_exact, is_found = texts[way] == said.text, is_right(answers[way], said.target)
                for key in (way, f'{way} {said.voice}', f'{way} {said.speed}'):
                    exact[key].append(is_exact)
                    right[key].append(is_found)
                outcomes[way].append('right' if is_found else answers[way].status.value)
            listed.append(said.text in [each.text for each in found])
            if verbose and not (exact['grounded'][-1] and right['grounded'][-1]):
                taken = f'{texts["grounded"]}: {outcomes["grounded"][-1]}'
                alone_text = f'alone: {texts["alone"]}'
                print(f'{said.voice} {said.speed}: {said.text} | {taken}; {alone_text}', flush=True)
    return {
        'commands': len(listed),
        'listed': float(np.mean(listed)),
        'exact': {key: float(np.mean(values)) for key, values in exact.items()},
        'right': {key: float(np.mean(values)) for key, values in right.items()},
        'outcomes': {
            way: {name: values.count(name) for name in sorted(set(values))}
            for way, values in outcomes.items()
        },
        'seconds': dict(
            zip(('stream', 'recognise', 'ground'), np.median(spent, axis=0).tolist(), strict=True)
        ),
    }


def table(result: dict[str, Any], split: str) -> Iterator[str]:
    """Yield the lines of a result in Markdown."""
    groups = [*VOICES[split], *map(str, SPEEDS)]
    yield f'| {result["commands"]} commands | exact | right | {" | ".join(groups)} |'
    yield '|---' * (3 + len(groups)) + '|'
    for way in WAYS:
        shares = [result['exact'][f'{way} {group}'] for group in groups]
        row = [result['exact'][way], result['right'][way], *shares]
        yield f'| {way} | {" | ".join(f"{share:.2f}" for share in row)} |'


def main() -> None:
    """Print the figures, and write them to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--commands', type=int, default=200)
    parser.add_argument('--absent', type=int, default=40, help='commands about what is not there')
    parser.add_argument('--split', choices=list(VOICES), default='test')
    parser.add_argument('--json', type=Path)
    parser.add_argument('--verbose', action='store_true', help='print what was not understood')
    given = parser.parse_args()
    results = {}
    for name, count in (('present', given.commands), ('absent', given.absent)):
        if not count:
            continue
        result = measured(given.split, count, name == 'absent', given.verbose)
        results[name] = result
        print(f'\nCommands about what is {name}; by voice and speed: exact.', end='\n\n')
        print('\n'.join(table(result, given.split)))
        print(f'\nThe command is in the n-best list: {result["listed"]:.2f}.')
        for way in WAYS:
            print(f'Outcomes, {way}: {result["outcomes"][way]}.')
        times = ', '.join(f'{part} {value:.2f}' for part, value in result['seconds'].items())
        print(f'Median CPU seconds of a command: {times}.')
    if 'present' in results:
        reached = {name: results['present'][name]['grounded'] for name in ('exact', 'right')}
        verdict = 'reached' if min(reached.values()) >= GOAL else 'missed'
        print(f'\nGoal: exact and right at least {GOAL}: {verdict}.')
    if given.json:
        given.json.write_text(json.dumps(results, indent=1), encoding='utf-8')


if __name__ == '__main__':
    main()
