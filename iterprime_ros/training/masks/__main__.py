"""Train the mask model of the tabletop profile: a small SAM, by SAM's training recipe.

Each object is prompted by one point (Kirillov et al., arXiv 2304.02643). Unlike there, all three
masks of a point contribute a little to the loss, since these objects have no parts to choose from.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from iterprime_ros.training.loop import TrainingSettings, train
from iterprime_ros.training.masks.mask_learner import MaskLearner
from iterprime_ros.training.masks.point_batches import points_batch
from iterprime_ros.training.masks.small_sam import copy_image_encoder, small_sam
from iterprime_ros.training.matcher.small_blip import load_small_blip
from iterprime_ros.training.options import run_training, training_parser
from iterprime_ros.training.scenes import mixed_scenes

_DESCRIPTION = """\
Train the mask model of the tabletop profile, a small SAM.

Scenes are rendered once into --scenes. If the training is interrupted, the same command resumes
from the last checkpoint in --out. The trained model is written to --out/model.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write the model; return the exit status."""
    parser = training_parser(
        'masks',
        _DESCRIPTION,
        '--scenes ~/.cache/iterprime/scenes --matcher ~/matcher/model --out ~/masks',
        batch_size=16,
    )
    parser.add_argument(
        '--matcher',
        type=Path,
        help='folder of a trained matcher whose image encoder initialises that of the mask model',
    )
    parser.add_argument(
        '--steps', type=int, default=4800, help='training steps (default: %(default)s)'
    )
    return run_training(_train, parser.parse_args(arguments))


def _train(options: argparse.Namespace) -> None:
    scenes = mixed_scenes(options.scenes, options.scene_count)
    torch.manual_seed(options.seed)
    model = small_sam()
    if options.matcher:
        copy_image_encoder(model, load_small_blip(options.matcher))
    train(
        MaskLearner(model),
        partial(points_batch, scenes, options.batch, options.seed),
        TrainingSettings(options.steps, learning_rate=1e-3, decay=0.4),
        options.out / 'masks',
        options.device,
        options.workers,
    )
    model.half().save_pretrained(options.out / 'model')
    print(f'The model is in {options.out / "model"}')


if __name__ == '__main__':
    sys.exit(main())
