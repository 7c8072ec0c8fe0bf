"""The split of the seeds of scenes, clips and picks by what they are used for."""

from collections.abc import Iterable

from iterprime_ros.errors import IterprimeError

TRAINING = range(1_000_000, 2_000_000)
CALIBRATION = range(2_000_000, 2_001_000)  # for the choice of thresholds and settings
HELD_OUT = range(3_000_000, 3_001_000)  # of earlier published figures; for comparison with them
FRESH = range(4_000_000, 4_001_000)  # for published figures only
CLIP_CALIBRATION = range(2_100_000, 2_101_000)  # for the choice of settings of tracking
CLIP_TEST = range(4_100_000, 4_101_000)  # for published figures of tracking only
PICK_CALIBRATION = range(2_200_000, 2_201_000)  # for the choice of settings of picking
PICK_TEST = range(4_200_000, 4_201_000)  # for published figures of picking only


class WrongSeedError(IterprimeError, ValueError):
    """The seed of a scene belongs to another split."""


def require_seeds(seeds: Iterable[int], allowed: range, use: str) -> None:
    """Raise WrongSeedError for the first seed that is not in `allowed`; use: named in the error."""
    for seed in seeds:
        if seed not in allowed:
            raise WrongSeedError(
                f'Scene {seed} is not for {use}: use scenes {allowed.start} to '
                f'{allowed.stop - 1}, so that no model is measured on scenes it was trained on.'
            )
