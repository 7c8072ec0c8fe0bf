"""Train the tabletop matcher: a small BLIP that decides whether a text is true of an image.

Stage `recognition` trains the image encoder to classify kind and colour in each patch; the
published models also start from a pretrained encoder. Stage `reading` trains the text side with
the image encoder frozen and its features cached (as in LiT, Zhai et al., arXiv 2111.07991). Stage
`matching` trains everything. The last two use the objectives of ALBEF (Li et al., arXiv
2107.07651) and BLIP (Li et al., arXiv 2201.12086): image-text matching with hard negatives,
contrastive learning and masked language modelling. No stage uses the location of the object that a
text means.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from iterprime_ros.training.loop import TrainingSettings, train
from iterprime_ros.training.matcher.learners import MatchingLearner, RecognitionLearner
from iterprime_ros.training.matcher.recognition_batches import recognition_batch
from iterprime_ros.training.matcher.small_blip import load_small_blip, small_blip
from iterprime_ros.training.matcher.text_batches import (
    EASY_CACHED,
    MIXED_CACHED,
    MIXED_CENTRE,
    MIXED_WHOLE,
    matching_batch,
)
from iterprime_ros.training.matcher.vocabulary import tabletop_vocabulary
from iterprime_ros.training.options import run_training, training_parser
from iterprime_ros.training.scenes import RenderedScenes

_EASY_SHARE = 0.15  # of the reading steps, the first ones, in which most texts name attributes
_WHOLE_SHARE = 0.2  # of the matching steps, the last ones, in which whole images are seen
_RECOGNITION_BATCH_FACTOR = 4  # images per step, relative to the other stages
_ENCODER_RATE_FACTOR = 0.4  # learning rate of the pretrained image encoder, relative to the rest
_DEFAULT_STEPS = {'recognition': 2200, 'reading': 10000, 'matching': 4200}

_DESCRIPTION = """\
Train the matcher of the tabletop profile in three stages: the image encoder to recognise kinds and
colours, the text encoder on cached image features (2 GB of memory), then the whole model.

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
    scenes = RenderedScenes(options.scenes, options.scene_count)
    torch.manual_seed(options.seed)
    vocabulary = tabletop_vocabulary()
    environment = options.device, options.workers
    if options.begin_with:
        model = load_small_blip(options.begin_with)
    else:
        model = small_blip(vocabulary.tokenizer)
        batch_size = options.batch * _RECOGNITION_BATCH_FACTOR
        train(
            RecognitionLearner(model),
            partial(recognition_batch, scenes, batch_size, options.seed),
            TrainingSettings(options.recognition_steps, learning_rate=1e-3),
            options.out / 'recognition',
            *environment,
        )
    learner = MatchingLearner(model, len(vocabulary.tokenizer), scenes)
    easy_until = 0 if options.begin_with else _EASY_SHARE * options.reading_steps
    whole_from = (1 - _WHOLE_SHARE) * options.matching_steps

    def reading_batch(step: int) -> dict[str, Tensor]:
        phase = EASY_CACHED if step < easy_until else MIXED_CACHED
        return matching_batch(scenes, vocabulary, options.batch, options.seed, step, phase)

    def full_batch(step: int) -> dict[str, Tensor]:
        phase = MIXED_WHOLE if step >= whole_from else MIXED_CENTRE
        return matching_batch(scenes, vocabulary, options.batch, options.seed + 1, step, phase)

    train(
        learner,
        reading_batch,
        TrainingSettings(options.reading_steps, learning_rate=8e-4),
        options.out / 'reading',
        *environment,
    )
    learner.clear_cache()
    train(
        learner,
        full_batch,
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
    vocabulary.tokenizer.save_pretrained(options.out / 'model')
    print(f'The model is in {options.out / "model"}')


if __name__ == '__main__':
    sys.exit(main())
