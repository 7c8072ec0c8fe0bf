"""Choose the settings of a profile on calibration scenes, on which nothing is measured."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from iterprime_ros.errors import IterprimeError
from iterprime_ros.evaluation.calibrate_heatmap import calibrated_by_heatmap
from iterprime_ros.evaluation.calibrate_parts import calibrated_by_parts
from iterprime_ros.evaluation.datasets.tabletop import load_tabletop
from iterprime_ros.pipeline import IteRPrimE

_DESCRIPTION = """\
Choose the settings of a profile on the calibration scenes of the tabletop, and write them into its
file. With answer.by heatmap: fusion block, emphasis, refinement and match threshold. With answer.by
parts: the chance that a noun phrase describes an object, match threshold and ambiguity margin.
"""
_SECTIONS = {'heatmap': ('grounding', 'answer'), 'parts': ('regions', 'answer')}


def main(arguments: Sequence[str] | None = None) -> int:
    """Calibrate a profile and write the settings into its file."""
    parser = argparse.ArgumentParser(
        prog='python -m iterprime_ros.evaluation.calibrate',
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python -m iterprime_ros.evaluation.calibrate new/profile.yaml',
    )
    parser.add_argument('profile', type=Path, help='YAML file, whose settings are replaced')
    parser.add_argument('--scenes', type=int, default=150, help='number of scenes (default: 150)')
    options = parser.parse_args(arguments)
    try:
        dataset = load_tabletop('calibration', options.scenes)
        model = IteRPrimE.from_profile(options.profile)
        by = model.profile.answer.by
        calibrated = calibrated_by_parts if by == 'parts' else calibrated_by_heatmap
        settings = calibrated(model, dataset).profile.model_dump()
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
    fields = yaml.safe_load(options.profile.read_text(encoding='utf-8'))
    fields |= {name: settings[name] for name in _SECTIONS[by]}
    options.profile.write_text(yaml.safe_dump(fields, sort_keys=False), encoding='utf-8')
    print(f'Wrote the settings to {options.profile}.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
