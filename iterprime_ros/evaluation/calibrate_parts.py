"""Choose the settings of answers that are reasoned part by part.

First the chance that a noun phrase describes an object is fitted, with and without what the image
loses without the object (`contrast`), which takes more than half of the time: it is kept only where
answers are better with it. Then match_threshold and ambiguity_margin are chosen on the answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from tqdm import tqdm

from iterprime_ros.evaluation.calibrate_answers import chosen_margin, chosen_threshold
from iterprime_ros.evaluation.calibrate_regions import (
    PATCH_SHARES,
    RegionFit,
    RegionPairs,
    fit_regions,
    joined,
    region_pairs,
)
from iterprime_ros.evaluation.datasets.dataset import Sample
from iterprime_ros.evaluation.datasets.tabletop import HEIGHT, WIDTH, Tabletop
from iterprime_ros.evaluation.decisions import decided, judge
from iterprime_ros.evaluation.metrics import Outcome, quality
from iterprime_ros.evaluation.report import metrics_table, results_of
from iterprime_ros.evaluation.runner import embed_sample
from iterprime_ros.evaluation.variants import with_settings
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene

_SCENES_FOR_SHARE = 40  # on which patch_share is chosen
_SCENES_FOR_CONTRAST = 60  # on which it is decided whether contrast is used
_WORTH = 0.005  # of quality, for which contrast may take its time


EncodedSample = tuple[Sample, Frame]


@dataclass(frozen=True)
class _Choice:
    """Settings, and the outcomes that they give."""

    model: IteRPrimE
    outcomes: Sequence[Outcome]

    @property
    def quality(self) -> float:
        return quality(self.outcomes)


def calibrated_by_parts(model: IteRPrimE, dataset: Tabletop) -> IteRPrimE:
    """Return the model with the settings that answer a data set best; print what was tried."""
    plain, contrast = _fits(model, dataset)
    print(f'region alone: {plain}\nregion and contrast: {contrast}')
    samples = tqdm(dataset, desc='encoding')
    encoded = [(sample, embed_sample(model, sample)) for sample in samples]
    few = encoded[:_SCENES_FOR_CONTRAST]
    fitted = [with_settings(model, regions=fit.settings.model_dump()) for fit in (plain, contrast)]
    without, both = (_decided(each, few) for each in fitted)
    chosen = both if both.quality >= without.quality + _WORTH else without
    return (_decided(chosen.model, encoded) if encoded[len(few) :] else chosen).model


def _decided(model: IteRPrimE, encoded: Sequence[EncodedSample]) -> _Choice:
    """Return the model with the best threshold and margin on scenes; print its answers."""
    judged = judge(model, tqdm(encoded, desc='answering'))
    threshold = chosen_threshold(judged)
    margin = chosen_margin(judged, threshold)
    answer = {'match_threshold': threshold}
    if margin is not None:
        answer['ambiguity_margin'] = margin
    chosen = with_settings(model, answer=answer)
    settings = chosen.profile.answer
    outcomes = [decided(each, threshold, settings.ambiguity_margin) for each in judged]
    choice = _Choice(chosen, outcomes)
    print(
        f'{len(encoded)} scenes, contrast {chosen.profile.regions.contrast:g}: match threshold '
        f'{threshold:g}, ambiguity margin {settings.ambiguity_margin:g}, quality '
        f'{choice.quality:.4f}'
    )
    print(metrics_table(results_of(outcomes)))
    return choice


def _fits(model: IteRPrimE, dataset: Tabletop) -> tuple[RegionFit, RegionFit]:
    """Return the fits without and with contrast."""
    with Renderer(WIDTH, HEIGHT) as renderer:
        seeds = tqdm(dataset.seeds, desc='fitting the region match')
        pictures = (renderer.render(sample_scene(seed, dataset.world)) for seed in seeds)
        few = region_pairs(model, islice(pictures, _SCENES_FOR_SHARE), PATCH_SHARES)
        shares = [_best_share(few, with_contrast) for with_contrast in (False, True)]
        rest = region_pairs(model, pictures, sorted(set(shares)))
    plain, contrast = (
        fit_regions(joined([few[share], rest[share]]), share, with_contrast)
        for share, with_contrast in zip(shares, (False, True), strict=True)
    )
    return plain, contrast


def _best_share(pairs: dict[float, RegionPairs], with_contrast: bool) -> float:
    """Return the patch share of least log loss."""
    losses = {
        share: fit_regions(some, share, with_contrast).log_loss for share, some in pairs.items()
    }
    return min(losses, key=losses.__getitem__)
