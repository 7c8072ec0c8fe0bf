"""Train the tabletop matcher: a small BLIP that decides whether a text is true of what is shown.

Stage `recognition` trains the image encoder to classify kind, colour and size in each patch; the
published models also start from a pretrained encoder. Stage `reading` trains the text side with
the image encoder frozen and its features cached (as in LiT, Zhai et al., arXiv 2111.07991). Stage
`matching` trains everything. The last two use image-text matching (Li et al., arXiv 2107.07651)
with cross-attention limited to some of the objects, as region match does when it is asked.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from iterprime_ros.training.loop import TrainingSettings, train
from iterprime_ros.training.matcher.learners import RecognitionLearner, RegionLearner
from iterprime_ros.training.matcher.recognition_batches import recognition_batch
from iterprime_ros.training.matcher.region_batches import region_batch
from iterprime_ros.training.matcher.small_blip import load_small_blip, small_blip
from iterprime_ros.training.matcher.vocabulary import word_tokenizer
from iterprime_ros.training.options import run_training, training_parser
from iterprime_ros.training.scenes import mixed_scenes

_ENCODER_RATE_FACTOR = 0.4  # learning rate of the pretrained image encoder, relative to the rest
_DEFAULT_STEPS = {'recognition': 5000, 'reading': 4000, 'matching': 2500}

_DESCRIPTION = """\
Train the matcher of the tabletop profile in three stages: the image encoder to recognise kinds,
colours and sizes, the text encoder on cached image features (2.3 GB of memory), then the whole
model.

Scenes are rendered once into --scenes. If the training is interrupted, the same command resumes
from the last checkpoint in --out. The trained model is written to --out/model.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train all stages and write the model and its tokenizer; return the exit status."""
    parser = training_parser(
        'matcher', _DESCRIPTION, '--scenes ~/.cache/iterprime/scenes --out ~/matcher', batch_size=32
    )
    parser.add_argument(
        '--begin-with',
        type=Path,
        help='folder of a trained matcher to continue from, without the recognition stage',
    )
    for stage, steps in _DEFAULT_STEPS.items():
        parser.add_argument(
            f'--{stage}-steps',
            type=int,
            default=steps,
            help=f'steps of the {stage} stage (default: %(default)s)',
        )
    return run_training(_train, parser.parse_args(arguments))


def _train(options: argparse.Namespace) -> None:
    scenes = mixed_scenes(options.scenes, options.scene_count)
    torch.manual_seed(options.seed)
    environment = options.device, options.workers
    tokenizer = word_tokenizer()
    if options.begin_with:
        model = load_small_blip(options.begin_with)
    else:
        model = small_blip(tokenizer)
        train(
            RecognitionLearner(model),
            partial(recognition_batch, scenes, options.batch, options.seed),
            TrainingSettings(options.recognition_steps, learning_rate=1e-3, decay=0.45),
            options.out / 'recognition',
            *environment,
        )
    learner = RegionLearner(model, scenes)
    train(
        learner,
        partial(region_batch, scenes, options.batch, options.seed, with_images=False),
        TrainingSettings(options.reading_steps, learning_rate=8e-4),
        options.out / 'reading',
        *environment,
    )
    learner.clear_cache()
    train(
        learner,
        partial(region_batch, scenes, options.batch, options.seed + 1, with_images=True),
        TrainingSettings(
            options.matching_steps,
            learning_rate=5e-4,
            slow_prefix='model.vision_model',
            slow_factor=_ENCODER_RATE_FACTOR,
        ),
        options.out / 'matching',
        *environment,
    )
    model.half().save_pretrained(options.out / 'model')
    tokenizer.save_pretrained(options.out / 'model')
    print(f'The model is in {options.out / "model"}')


if __name__ == '__main__':
    sys.exit(main())
