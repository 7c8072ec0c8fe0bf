"""Replace the tabletop models in the package by better ones."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from iterprime_ros.errors import IterprimeError, WeightsNotFoundError
from iterprime_ros.evaluation.evaluate import Evaluation, evaluate
from iterprime_ros.evaluation.metrics import quality
from iterprime_ros.evaluation.outcome_log import OUTCOMES
from iterprime_ros.profiles import TABLETOP

_REQUIRED = ('profile.yaml', 'matcher')
_FOLDERS = ('matcher', 'masks')
_DESCRIPTION = """\
Compare new tabletop models with those in the package on the calibration scenes, and replace them
if the new ones are better: by the mean of P@0.5, mIoU, correct rejections, 1 - false rejections,
correct AMBIGUOUS, 1 - false AMBIGUOUS and all instances. The figures to publish are not measured
here: iterprime evaluate measures them, once.

NEW is a folder with profile.yaml, matcher/ and, if the profile names one, masks/.
"""


class NotBetterError(IterprimeError):
    """New models that are no better than those in the package."""


def ship(new: Path, scenes: int, out: Path) -> None:
    """Replace the tabletop models in the package if the new ones are better.

    new: folder with profile.yaml, matcher/ and perhaps masks/.
    scenes: number of calibration scenes to compare on.
    out: folder for the reports.

    Raises NotBetterError, and WeightsNotFoundError where a part of the new models is missing.
    """
    if missing := [name for name in _REQUIRED if not (new / name).exists()]:
        raise WeightsNotFoundError(f'{new} lacks {" and ".join(missing)}.')
    new_quality = _quality(new, scenes, out / 'new')
    old_quality = _quality(TABLETOP, scenes, out / 'old')
    print(f'calibration scenes: new {new_quality:.4f}, in the package {old_quality:.4f}')
    if new_quality <= old_quality:
        raise NotBetterError('The new models are no better, so the package keeps its own.')
    for name in _FOLDERS:
        shutil.rmtree(TABLETOP / name, ignore_errors=True)
        if (new / name).exists():
            shutil.copytree(new / name, TABLETOP / name)
    shutil.copy(new / 'profile.yaml', TABLETOP / 'profile.yaml')


def _quality(folder: Path, scenes: int, out: Path) -> float:
    (out / OUTCOMES.name).unlink(missing_ok=True)  # of a comparison that was not finished
    profile = str(folder / 'profile.yaml')
    return quality(evaluate(Evaluation(profile, out, 'tabletop', 'calibration', scenes)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        prog='python -m iterprime_ros.training.ship',
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('new', type=Path, metavar='NEW', help='folder of the new models')
    parser.add_argument(
        '--scenes', type=int, default=300, help='calibration scenes to compare on (default: 300)'
    )
    parser.add_argument(
        '--out', type=Path, default=Path('out/ship'), help='folder for reports (default: out/ship)'
    )
    options = parser.parse_args(arguments)
    try:
        ship(options.new, options.scenes, options.out)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
