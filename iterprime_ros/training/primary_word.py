"""Train the head that names the primary word from the matcher's attention to words.

python -m iterprime_ros.training.primary_word --scenes 300 --out primary_word.json
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import optimize
from torch import Tensor
from tqdm import tqdm

from iterprime_ros.backends import load_matcher
from iterprime_ros.errors import InvalidSettingError, IterprimeError
from iterprime_ros.grounding.alignment import Span
from iterprime_ros.grounding.matcher import Matcher
from iterprime_ros.grounding.primary_word_head import (
    FEATURES,
    PrimaryWordHead,
    read_words,
    save_head,
)
from iterprime_ros.language.command_parser import CommandParser
from iterprime_ros.profiles import DEFAULT, load_profile
from iterprime_ros.sim.expressions import Stratum, sample_expression
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import TRAINING, require_seeds
from iterprime_ros.sim.view import view_of
from iterprime_ros.training.scenes import HEIGHT, WIDTH
from iterprime_ros.weights import Placement

_EXPRESSIONS = 4  # of a scene
_LEAST_SCENES = 4  # to fit, calibrate and test on
_FIRST_SEED = TRAINING.start + 900_000  # beyond those that the matcher is trained on
_RIDGE = 1e-3  # of the weights of features of unit deviation, beside the mean log loss


@dataclass(frozen=True)
class WordExample:
    """An expression about an image.

    text: its words.
    features: (W, len(FEATURES)) float64, see word_features.
    words: W spans.
    answer: the number of the primary word among them.
    parsed: the parser's primary word as a span of the text; None where it finds none.
    """

    text: str
    features: Tensor
    words: tuple[Span, ...]
    answer: int
    parsed: Span | None

    @property
    def is_parsed_right(self) -> bool:
        """Whether the parser names the primary word."""
        return self.parsed == self.words[self.answer]


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write a head, and print its accuracy beside the parser's."""
    options = _options(arguments)
    try:
        _train(options)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m iterprime_ros.training.primary_word', description=__doc__.split('\n')[0]
    )
    parser.add_argument(
        '--scenes', type=int, default=300, help='scenes to fit on; half as many again are tested'
    )
    parser.add_argument('--out', type=Path, required=True, help='JSON file of the head')
    parser.add_argument(
        '--profile', default=DEFAULT, help='whose matcher is read (default: %(default)s)'
    )
    parser.add_argument(
        '--block',
        type=int,
        help='fusion block that is read (default: the last but one, the last in which words have '
        'a gradient)',
    )
    return parser.parse_args(arguments)


def _train(options: argparse.Namespace) -> None:
    fitted, unseen = options.scenes, options.scenes // 2
    if fitted < _LEAST_SCENES:
        raise InvalidSettingError(f'--scenes must be at least {_LEAST_SCENES}, not {fitted}.')
    profile = load_profile(options.profile)
    placement = Placement.named('cpu', profile.encoder_dtype, False, options.profile)
    chosen = profile.matcher
    matcher = load_matcher(chosen.kind, chosen.weights, chosen.tokenizer, placement)
    parser = CommandParser.load(profile.language)
    blocks = matcher.fusion_blocks
    block = max(blocks.start, blocks.stop - 2) if options.block is None else options.block
    seeds = range(_FIRST_SEED, _FIRST_SEED + fitted + unseen)
    require_seeds(seeds, TRAINING, 'training')
    scenes = list(
        tqdm(
            word_examples(matcher, parser, profile.grounding.prompt, block, seeds),
            total=len(seeds),
            desc='reading scenes',
        )
    )
    for_weights = fitted * 3 // 4
    training = _flat(scenes[:for_weights])
    calibration, test = _flat(scenes[for_weights:fitted]), _flat(scenes[fitted:])
    head = fit_head(training, calibration, block)
    save_head(head, options.out)
    print(f'{len(training)} expressions for the weights, {len(calibration)} for the temperature')
    print(f'parser right on both {head.parser_reliability:.4f}, temperature {head.temperature:.2f}')
    for name, part in (('trained on', training), ('scenes not trained on', test)):
        print(f'{name}: {summary(head, part)}')


def _flat(scenes: Sequence[Sequence[WordExample]]) -> list[WordExample]:
    return [example for scene in scenes for example in scene]


def word_examples(
    matcher: Matcher, parser: CommandParser, prompt: str, block: int, seeds: range
) -> Iterator[list[WordExample]]:
    """Yield expressions about each rendered scene, of different strata where it has them."""
    with Renderer(WIDTH, HEIGHT) as renderer:
        for seed in seeds:
            picture = renderer.render(sample_scene(seed))
            rng = np.random.default_rng([seed, 29])
            strata = rng.permutation(np.array(list(Stratum), dtype=object))[:_EXPRESSIONS]
            view = view_of(picture)
            drawn = [sample_expression(rng, view, stratum) for stratum in strata]
            wordings = [each.wording for each in drawn if each]
            if not wordings:
                yield []
                continue
            image = matcher.encode_image(torch.from_numpy(picture.rgb).permute(2, 0, 1))
            texts = [wording.text for wording in wordings]
            read = read_words(matcher, image, texts, prompt, block)
            yield [
                WordExample(
                    wording.text,
                    features,
                    words,
                    words.index(wording.primary_word),
                    parsed_word(parser, wording.text),
                )
                for wording, (words, features) in zip(wordings, read, strict=True)
                if wording.primary_word in words
            ]


def parsed_word(parser: CommandParser, text: str) -> Span | None:
    """Return the parser's primary word of an expression, as a span of it."""
    command = parser.parse(text)
    start = text.find(command.expression)
    if command.primary_word is None or start < 0:
        return None
    return start + command.primary_word[0], start + command.primary_word[1]


def fit_head(
    training: Sequence[WordExample], calibration: Sequence[WordExample], block: int
) -> PrimaryWordHead:
    """Return the head of least log loss on one set, its temperature fitted on another.

    The parser's reliability is that on both, with one right and one wrong added (Laplace's rule).
    """
    both = [*training, *calibration]
    right = sum(each.is_parsed_right for each in both)
    weights = _fitted_weights(training)
    reliability = (right + 1) / (len(both) + 2)
    head = PrimaryWordHead(tuple(weights), 1.0, block, reliability, len(calibration))

    def loss(log_temperature: float) -> float:
        return mean_log_loss(replace(head, temperature=float(np.exp(log_temperature))), calibration)

    found = optimize.minimize_scalar(loss, bounds=(-3.0, 3.0), method='bounded')
    return replace(head, temperature=float(np.exp(found.x)))


def _fitted_weights(examples: Sequence[WordExample]) -> NDArray[np.float64]:
    """Return the weights (F,) of least mean log loss, kept small by a ridge."""
    longest = max(len(each.words) for each in examples)
    features = torch.zeros(len(examples), longest, len(FEATURES), dtype=torch.float64)
    missing = torch.ones(len(examples), longest, dtype=torch.bool)
    for row, each in enumerate(examples):
        features[row, : len(each.words)] = each.features
        missing[row, : len(each.words)] = False
    deviation = features[~missing].std(dim=0).clamp(min=1e-6)
    answers = torch.tensor([each.answer for each in examples])
    scaled = features / deviation

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = torch.tensor(values, requires_grad=True)
        scores = (scaled @ weights).masked_fill(missing, -torch.inf)
        total = torch.nn.functional.cross_entropy(scores, answers) + _RIDGE * weights.square().sum()
        (gradient,) = torch.autograd.grad(total, weights)
        return float(total.detach()), gradient.numpy()

    found = optimize.minimize(loss, np.zeros(len(FEATURES)), jac=True, method='L-BFGS-B')
    fitted: NDArray[np.float64] = found.x / deviation.numpy()
    return fitted


def mean_log_loss(head: PrimaryWordHead, examples: Sequence[WordExample]) -> float:
    """Return the mean of -log of the probability of the primary word, in nats."""
    chances = [float(head.probabilities(each.features)[each.answer]) for each in examples]
    return float(-np.log(np.maximum(chances, np.finfo(np.float64).tiny)).mean())


def summary(head: PrimaryWordHead, examples: Sequence[WordExample]) -> str:
    """Return one line: how often head and parser are right, agree, and which one prevails."""
    chances = [head.probabilities(each.features) for each in examples]
    named = [each.words[int(row.argmax())] for each, row in zip(examples, chances, strict=True)]
    best = np.array([min(float(row.max()), head.highest_chance) for row in chances])
    gold = [each.words[each.answer] for each in examples]
    parsed = [each.parsed for each in examples]
    head_right = np.array([a == b for a, b in zip(named, gold, strict=True)])
    parser_right = np.array([each.is_parsed_right for each in examples])
    agree = np.array([a == b for a, b in zip(named, parsed, strict=True)])
    prevails = ~agree & (
        np.array([word is None for word in parsed]) | (best > head.parser_reliability)
    )
    used_right = np.where(prevails, head_right, parser_right)
    return (
        f'{len(examples)} expressions, head right {head_right.mean():.3f} (mean chance '
        f'{best.mean():.3f}), parser right {parser_right.mean():.3f}, they agree '
        f'{agree.mean():.3f}, the head prevails in {prevails.sum()}, used word right '
        f'{used_right.mean():.3f}'
    )


if __name__ == '__main__':
    sys.exit(main())
