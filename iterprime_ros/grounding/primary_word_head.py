"""Which word of an expression names the object, read off the matcher's attention: a learned head.

It knows nothing of grammar, so it can check a parser, and stands in for it where that finds no
noun. A multinomial logistic regression over the words, with a temperature (Guo et al., "On
Calibration of Modern Neural Networks", ICML 2017, arXiv 1706.04599).
"""

import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.grounding.alignment import Span, expression_offsets, word_tokens
from iterprime_ros.grounding.matcher import Matcher

_OWN = ('attention mass', 'attention peak', 'Grad-CAM mass', 'Grad-CAM peak', 'entropy')
FEATURES = (
    *_OWN,
    *(f'{name} of the next word' for name in _OWN),
    *(f'{name} of the word before' for name in _OWN),
    'Grad-CAM mass of all words before',
    'place',
    'is first',
    'is last',
)
_FLOOR = 1e-2  # added to what is compared with its mean before the logarithm
_TINY = 1e-12
_WORD = re.compile(r'\w+')


@dataclass(frozen=True)
class PrimaryWordHead:
    """The learned head.

    weights: one for each of FEATURES.
    temperature: divides the scores, above 0; fitted so that the probabilities are calibrated.
    block: fusion block whose attention it reads; words need a gradient there.
    parser_reliability: fraction in [0, 1] of expressions whose primary word the parser names.
    calibration_count: number of expressions that the temperature is fitted on, at least 1.
    """

    weights: tuple[float, ...]
    temperature: float
    block: int
    parser_reliability: float
    calibration_count: int

    @property
    def highest_chance(self) -> float:
        """The largest probability that the calibration set can vouch for (Laplace's rule)."""
        return (self.calibration_count + 1) / (self.calibration_count + 2)

    def probabilities(self, features: Tensor) -> Tensor:
        """Return (W,) float64, which sum to 1: that each word is the primary word.

        features: (W, len(FEATURES)), W at least 1; see word_features.
        """
        scores = features.double() @ torch.tensor(self.weights, dtype=torch.float64)
        return (scores / self.temperature).softmax(dim=0)


def read_words(
    matcher: Matcher, image: Any, texts: Sequence[str], prompt: str, block: int
) -> list[tuple[tuple[Span, ...], Tensor]]:
    """Return the words of expressions and their features, with one attention for all.

    image: what matcher.encode_image returned.
    texts: B expressions, B at least 1.
    prompt: what the matcher reads; holds {expression} once.
    block: fusion block that is read.
    """
    batch = matcher.encode_text([prompt.format(expression=text) for text in texts])
    rows, columns = matcher.grid
    keep = torch.ones(len(batch), rows * columns, dtype=torch.bool, device=batch.real.device)
    seen = matcher.attend(image, batch, keep, block)
    start = prompt.index('{expression}')
    found = []
    for row, text in enumerate(texts):
        offsets = expression_offsets(batch.offsets[row], start, len(text))
        words = words_of(text, offsets)
        found.append(
            (words, word_features(seen.attention[row], seen.gradient[row], offsets, words))
        )
    return found


def words_of(text: str, offsets: Sequence[Span]) -> tuple[Span, ...]:
    """Return the spans of the words of an expression that the matcher has tokens for.

    offsets: for each token, the [start, end) characters of `text` that it stands for.
    """
    spans = [match.span() for match in _WORD.finditer(text)]
    return tuple(span for span in spans if word_tokens(offsets, span))


def word_features(
    attention: Tensor, gradient: Tensor, offsets: Sequence[Span], words: Sequence[Span]
) -> Tensor:
    """Return (W, len(FEATURES)) float64 on the CPU: what attention says about each word.

    attention, gradient: (H, T, N), A and dz/dA of one expression in one fusion block.
    offsets: the characters that each token stands for.
    words: W spans of characters, each with a token, in the order of the text.

    With A_w the mean over heads and the word's tokens, and C_w the Grad-CAM of gradcam.word_maps:
    mass is a sum over patches and peak a maximum, each as log(x / mean of x over words + 0.01);
    entropy is that of A_w over patches, in [0, 1]; the Grad-CAM mass of all words before is a share
    of that of all words; place is the number of the word over that of the last one, in [0, 1].
    What a word that does not exist has is 0.
    """
    if not words:
        return torch.zeros(0, len(FEATURES), dtype=torch.float64)
    member = torch.zeros(len(words), attention.shape[1])
    for row, word in enumerate(words):
        member[row, word_tokens(offsets, word)] = 1
    member = member.to(attention)
    share = member / member.sum(dim=1, keepdim=True)
    seen = (share @ attention.mean(dim=0)).double().cpu()
    cam = (member @ (attention * gradient.clamp(min=0)).mean(dim=0)).double().cpu()
    cam_mass = cam.sum(dim=1)
    own = torch.stack(
        [
            _relative(seen.sum(dim=1)),
            _relative(seen.amax(dim=1)),
            _relative(cam_mass),
            _relative(cam.amax(dim=1)),
            _entropy(seen),
        ],
        dim=1,
    )
    none = torch.zeros(1, own.shape[1], dtype=own.dtype)
    number = torch.arange(len(words), dtype=own.dtype)
    before = (cam_mass.cumsum(dim=0) - cam_mass) / cam_mass.sum().clamp(min=_TINY)
    places = [before, number / max(len(words) - 1, 1), number == 0, number == len(words) - 1]
    return torch.cat(
        [
            own,
            torch.cat([own[1:], none]),
            torch.cat([none, own[:-1]]),
            torch.stack([each.double() for each in places], dim=1),
        ],
        dim=1,
    )


def load_head(path: str | Path) -> PrimaryWordHead:
    """Read a head from a JSON file, as `save_head` writes it.

    Raises WeightsNotFoundError where there is none, and WeightsMismatchError for another file.
    """
    try:
        fields = json.loads(Path(path).read_text(encoding='utf-8'))
    except OSError as error:
        raise WeightsNotFoundError(
            f'Cannot read the primary word head {path}: {error.strerror}; correct primary_word in '
            'the profile, or leave it out.'
        ) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, 'it is not JSON') from error
    return _checked(fields, path)


def head_of_profile(path: str | None, blocks: range) -> PrimaryWordHead | None:
    """Return the head that a profile names, None where it names none.

    blocks: those of the matcher.

    Raises the errors of load_head, and WeightsMismatchError for a block that is not among `blocks`.
    """
    if path is None:
        return None
    head = load_head(path)
    if head.block not in blocks:
        raise _damaged(path, f'its block {head.block} is none of the matcher')
    return head


def save_head(head: PrimaryWordHead, path: Path) -> None:
    """Write a head to a JSON file; its folder is created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = dict(zip(FEATURES, head.weights, strict=True))
    path.write_text(json.dumps({**asdict(head), 'weights': weights}, indent=2) + '\n')


def _checked(fields: Any, path: str | Path) -> PrimaryWordHead:
    names = ('weights', 'temperature', 'block', 'parser_reliability', 'calibration_count')
    if not isinstance(fields, dict) or set(fields) != set(names):
        raise _damaged(path, f'its fields are not {", ".join(names)}')
    weights, temperature, block, reliability, count = (fields[name] for name in names)
    if not isinstance(weights, dict) or tuple(weights) != FEATURES:
        raise _damaged(path, 'its weights are not of the features that are computed')
    if not all(map(_is_number, (*weights.values(), temperature, reliability))):
        raise _damaged(path, 'it holds what is not a finite number')
    if type(block) is not int or type(count) is not int or count < 1:
        raise _damaged(path, 'its block or calibration_count is no whole number in range')
    if temperature <= 0 or not 0 <= reliability <= 1:
        raise _damaged(path, 'its temperature or parser_reliability is out of range')
    values = tuple(float(weights[name]) for name in FEATURES)
    return PrimaryWordHead(values, float(temperature), block, float(reliability), count)


def _damaged(path: str | Path, symptom: str) -> WeightsMismatchError:
    return WeightsMismatchError(
        f'{path} is no primary word head of this matcher, {symptom}: train it again with '
        'python -m iterprime_ros.training.primary_word.'
    )


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max  # which is False for NaN, too


def _relative(values: Tensor) -> Tensor:
    """Return log(x / mean + 0.01) of values (W,) >= 0; 0 where all are 0."""
    mean = values.mean()
    return (values / mean + _FLOOR).log() if mean > _TINY else torch.zeros_like(values)


def _entropy(maps: Tensor) -> Tensor:
    """Return the entropy (W,) of maps (W, N) >= 0 as distributions, over log N."""
    chances = maps / maps.sum(dim=1, keepdim=True).clamp(min=_TINY)
    entropy = -(chances * chances.clamp(min=_TINY).log()).sum(dim=1)
    return entropy / max(math.log(maps.shape[1]), _TINY)
