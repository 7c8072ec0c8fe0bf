"""Fit how matching logits become the chance that a noun phrase describes an object.

Every object that is found in a scene is asked about with noun phrases of the grammar, half of which
describe an object of the scene. The simulator says which are true: those that fit the object of
which the mask is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError
from iterprime_ros.evaluation.frame_objects import objects_in
from iterprime_ros.evaluation.logistic import (
    accuracy,
    expected_calibration_error,
    fit_logistic,
    log_loss,
)
from iterprime_ros.grounding.region_match import RegionLogits, region_logits, region_patches
from iterprime_ros.grounding.settings import RegionMatchSettings
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.expressions import altered_phrase
from iterprime_ros.sim.grammar import Description, Phrase, wordings
from iterprime_ros.sim.renderer import Picture
from iterprime_ros.sim.semantics import fits
from iterprime_ros.sim.view import SeenObject, View, view_of

PATCH_SHARES = (0.05, 0.1, 0.2, 0.3)
TEXTS = 10  # a scene
_NAMED_RATES = (0.8, 0.55, 0.3)  # of kind, colour and size, as in the questions
_SAME = 0.5  # an IoU above it: a mask is of an object


@dataclass(frozen=True, eq=False)
class RegionPairs:
    """Objects with noun phrases, n pairs.

    only: (n,) float64, the matching logit with the object alone.
    contrast: (n,) float64, what the matching logit of the whole image loses without the object.
    truths: (n,) bool, whether the noun phrase describes the object.
    """

    only: NDArray[np.float64]
    contrast: NDArray[np.float64]
    truths: NDArray[np.bool_]


@dataclass(frozen=True)
class RegionFit:
    """Fitted settings, and how good the chances that they give are, on what they are fitted to.

    settings: of which the weights are fitted.
    log_loss: in nats.
    accuracy: fraction in [0, 1] that 0.5 divides correctly.
    calibration_error: expected calibration error, in [0, 1].
    """

    settings: RegionMatchSettings
    log_loss: float
    accuracy: float
    calibration_error: float

    def __str__(self) -> str:
        chosen = self.settings
        return (
            f'patch share {chosen.patch_share:g}: only {chosen.only:.3f}, contrast '
            f'{chosen.contrast:.3f}, bias {chosen.bias:.3f}; log loss {self.log_loss:.4f}, '
            f'accuracy {self.accuracy:.4f}, calibration error {self.calibration_error:.4f}'
        )


def region_pairs(
    model: IteRPrimE, pictures: Iterable[Picture], patch_shares: Sequence[float]
) -> dict[float, RegionPairs]:
    """Ask about the objects that are found in pictures, for each of some patch shares."""
    found: dict[float, list[RegionPairs]] = {share: [] for share in patch_shares}
    prompt = model.profile.grounding.prompt
    for picture in pictures:
        frame = model.embed(picture.rgb)
        masks = objects_in(model, frame).masks
        rng = np.random.default_rng([picture.scene.seed, 31])
        asked = list(_texts(rng, view_of(picture)))
        if not len(masks) or not asked:
            continue
        described = described_objects(masks.cpu().numpy(), picture)
        truths = [
            item is not None and fits(description, item)
            for _, description in asked
            for item in described
        ]
        for share, some in found.items():
            logits = region_logits(
                model.matcher,
                frame.matcher_embedding,
                [prompt.format(expression=text) for text, _ in asked],
                region_patches(masks, model.matcher.grid, share),
            )
            some.append(_pairs(logits, truths))
    return {share: joined(some) for share, some in found.items()}


def joined(pairs: Sequence[RegionPairs]) -> RegionPairs:
    """Return the pairs of several collections as one."""
    some = [RegionPairs(np.zeros(0), np.zeros(0), np.zeros(0, bool)), *pairs]
    return RegionPairs(
        np.concatenate([each.only for each in some]),
        np.concatenate([each.contrast for each in some]),
        np.concatenate([each.truths for each in some]),
    )


def described_objects(masks: NDArray[np.bool_], picture: Picture) -> list[SeenObject | None]:
    """Return the object that each mask is of, with IoU above 0.5; None where it is of none.

    masks: (K, H, W) bool, of the size of the picture.
    """
    objects, areas = view_of(picture).objects, picture.seen_areas
    found: list[SeenObject | None] = []
    for mask in masks:
        shared = np.bincount(picture.ids[mask], minlength=len(objects) + 1)[1:]
        iou = shared / np.maximum(areas + np.count_nonzero(mask) - shared, 1)
        best = int(iou.argmax())
        found.append(objects[best] if iou[best] > _SAME else None)
    return found


def fit_regions(pairs: RegionPairs, patch_share: float, with_contrast: bool) -> RegionFit:
    """Return the settings of least log loss; `contrast` is 0 unless with_contrast.

    Raises InvalidDatasetError without any pair.
    """
    if not len(pairs.truths):
        raise InvalidDatasetError('No object was found in any of the scenes.')
    columns = (pairs.only, pairs.contrast) if with_contrast else (pairs.only,)
    features = np.stack(columns, axis=1)
    weights, bias = fit_logistic(features, pairs.truths)
    chances = 1 / (1 + np.exp(-np.clip(features @ weights + bias, -500, 500)))
    settings = RegionMatchSettings(
        only=round(float(weights[0]), 4),
        contrast=round(float(weights[1]), 4) if with_contrast else 0.0,
        bias=round(bias, 4),
        patch_share=patch_share,
    )
    return RegionFit(
        settings,
        log_loss(chances, pairs.truths),
        accuracy(chances, pairs.truths),
        expected_calibration_error(chances, pairs.truths),
    )


def _pairs(logits: RegionLogits, truths: Sequence[bool]) -> RegionPairs:
    if logits.whole is None or logits.without is None:
        raise ValueError('the logits without regions are missing')
    lost = logits.whole[:, None] - logits.without
    only, contrast = (each.double().cpu().numpy().ravel() for each in (logits.only, lost))
    return RegionPairs(only, contrast, np.array(truths, dtype=bool))


def _texts(rng: Generator, view: View) -> Iterator[tuple[str, Description]]:
    """Yield noun phrases, without article, with what they mean; every second one is altered."""
    referable = [item for item in view.objects if item.is_referable]
    for number in range(TEXTS if referable else 0):
        item = referable[int(rng.integers(len(referable)))]
        named = (
            value if rng.random() < rate else None
            for value, rate in zip((item.kind, item.colour, item.size), _NAMED_RATES, strict=True)
        )
        phrase = Phrase(Description(*named))
        if number % 2:
            phrase = altered_phrase(rng, phrase)
        texts = [each.text for each in wordings(phrase) if not each.text.startswith('the ')]
        yield texts[int(rng.integers(len(texts)))], phrase.head
