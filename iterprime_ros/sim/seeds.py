"""Which scenes are for what. The ranges never meet, so no model is measured on what it learnt."""

from collections.abc import Iterable

from iterprime_ros.errors import IterprimeError

TRAINING = range(1_000_000, 2_000_000)
CALIBRATION = range(2_000_000, 2_001_000)  # where thresholds and settings are chosen
HELD_OUT = range(3_000_000, 3_001_000)  # where figures are measured, and nothing else


class WrongSeedError(IterprimeError, ValueError):
    """A scene was to be used for what it is not for."""


def require_seeds(seeds: Iterable[int], allowed: range, use: str) -> None:
    """Raise WrongSeedError for a seed that is not in `allowed`."""
    for seed in seeds:
        if seed not in allowed:
            raise WrongSeedError(
                f'Scene {seed} is not for {use}: that takes scenes {allowed.start} to '
                f'{allowed.stop - 1}, so that figures are of scenes that no training has seen.'
            )
