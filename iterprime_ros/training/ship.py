"""Put better tabletop models into the package; worse ones are refused."""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from iterprime_ros.errors import IterprimeError, WeightsNotFoundError
from iterprime_ros.evaluation.evaluate import Evaluation, evaluate
from iterprime_ros.evaluation.metrics import Outcome, miou, precision, refused
from iterprime_ros.profiles import TABLETOP

HELD_OUT_SCENES = 600
_NEEDED = ('profile.yaml', 'matcher')
_FOLDERS = ('matcher', 'masks')
_DESCRIPTION = """\
Compare new tabletop models with those in the package on the calibration scenes, and put them in
their place if they answer better: mean IoU of what is there, and the share of what is not that is
refused, count alike. Then the held-out scenes are asked, once, for the figures to publish.

NEW is a folder with profile.yaml, matcher/ and, where the profile names one, masks/.
"""


class WorseError(IterprimeError):
    """New models that answer no better than the old ones."""


def score(outcomes: Sequence[Outcome]) -> float:
    """Return the mean of the mean IoU and of the refusals of what is not there, in [0, 1]."""
    present = [outcome for outcome in outcomes if outcome.is_present]
    absent = [outcome for outcome in outcomes if not outcome.is_present]
    return (miou(present) + refused(absent)) / 2


def ship(new: Path, scenes: int, out: Path) -> None:
    """Replace the package's tabletop models by those in `new`, if they are better.

    Raises WorseError where they are not.
    """
    if missing := [name for name in _NEEDED if not (new / name).exists()]:
        raise WeightsNotFoundError(f'{new} lacks {" and ".join(missing)}.')
    ours = _asked(new, 'calibration', scenes, out / 'new')
    old = _asked(TABLETOP, 'calibration', scenes, out / 'old')
    print(f'calibration scenes: new {score(ours):.4f}, shipped {score(old):.4f}')
    if score(ours) <= score(old):
        raise WorseError('The new models answer no better, so that the shipped ones stay.')
    for name in _FOLDERS:
        shutil.rmtree(TABLETOP / name, ignore_errors=True)
        if (new / name).exists():
            shutil.copytree(new / name, TABLETOP / name)
    shutil.copy(new / 'profile.yaml', TABLETOP / 'profile.yaml')
    held_out = _asked(TABLETOP, 'held-out', HELD_OUT_SCENES, out / 'held-out')
    present = [outcome for outcome in held_out if outcome.is_present]
    (TABLETOP / 'benchmark.json').write_text(
        json.dumps({'mIoU': miou(present), 'P@0.5': precision(present, 0.5)}, indent=1) + '\n',
        encoding='utf-8',
    )


def _asked(folder: Path, split: str, scenes: int, out: Path) -> list[Outcome]:
    return evaluate(Evaluation(str(folder / 'profile.yaml'), split, scenes, out))


def main(arguments: Sequence[str] | None = None) -> int:
    """Ship, or say why not."""
    parser = argparse.ArgumentParser(
        prog='python -m iterprime_ros.training.ship',
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('new', type=Path, metavar='NEW', help='folder of the new models')
    parser.add_argument('--scenes', type=int, default=300, help='to compare on (default: 300)')
    parser.add_argument(
        '--out', type=Path, default=Path('out/ship'), help='folder of reports (default: out/ship)'
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
