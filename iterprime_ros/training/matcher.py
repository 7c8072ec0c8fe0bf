"""Train the tabletop matcher: a small BLIP that tells whether a text is true of an image.

First its image encoder learns to recognise things, patch by patch, as the published models start
from an encoder that does; then the whole learns from image-text pairs alone, by the objectives of
ALBEF (Li et al., arXiv 2107.07651) and BLIP (Li et al., arXiv 2201.12086): matching with hard
negatives, contrast, and masked words. Nothing ever tells it which object a text means.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BlipForImageTextRetrieval

from iterprime_ros.errors import IterprimeError
from iterprime_ros.grounding.fusion import Pixels
from iterprime_ros.grounding.loading import found
from iterprime_ros.sim.scene import COLOURS, KINDS
from iterprime_ros.training.loop import Plan, train
from iterprime_ros.training.matcher_data import (
    CAPTIONS,
    EASY,
    IGNORED,
    MIXED,
    WHOLE,
    Words,
    matching_batch,
    recognition_batch,
)
from iterprime_ros.training.matcher_model import (
    IMAGE_SIZE,
    WIDTH,
    contrast,
    encoded,
    fused,
    small_blip,
)
from iterprime_ros.training.scenes import RenderedScenes
from iterprime_ros.training.vocabulary import content_words, word_tokenizer

_SEEN_WEIGHT = 4.0  # of a patch that shows an object, above that of one that shows none
_CONTRAST_WEIGHT = 0.2
_EASY_SHARE = 0.15  # of the steps, the first ones, in which texts mostly name attributes
_WHOLE_SHARE = 0.2  # of the steps, the last ones, in which whole images are seen
_VISION_SHARE = 0.4  # of the learning rate, for the encoder that knows something already

_DESCRIPTION = """\
Train the matcher of the tabletop profile: first its image encoder to recognise kinds and colours,
then all of it on images and texts. Scenes are rendered once into --scenes. Killed at any time, the
same command goes on from the last checkpoint in --out; the model is in --out/model at the end.
"""


class Recognition(nn.Module):
    """The image encoder with heads that name the kind and the colour of what a patch shows."""

    def __init__(self, model: BlipForImageTextRetrieval) -> None:
        super().__init__()
        self.vision_model = model.vision_model
        self.kind = nn.Linear(WIDTH, 1 + len(KINDS))
        self.colour = nn.Linear(WIDTH, 1 + len(COLOURS))
        self._pixels = Pixels(IMAGE_SIZE)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss, and the share of object patches whose kind or colour is right."""
        pixels = self._pixels.of_batch(batch['images'])
        patches = encoded(self, pixels, batch['shown'])[:, 1:].float()
        seen: dict[str, Tensor] = {'loss': torch.zeros((), device=patches.device)}
        for name, head in (('kind', self.kind), ('colour', self.colour)):
            wanted = batch[name]
            said = head(patches)
            weight = 1 + _SEEN_WEIGHT * (wanted > 0)
            loss = functional.cross_entropy(said.transpose(1, 2), wanted, reduction='none')
            seen['loss'] = seen['loss'] + (loss * weight).mean()
            right = said.argmax(-1) == wanted
            seen[name] = right[wanted > 0].float().mean()
        return seen


class Matching(nn.Module):
    """The whole model with a head that guesses masked words."""

    def __init__(self, model: BlipForImageTextRetrieval, words: int) -> None:
        super().__init__()
        self.model = model
        self.guess = nn.Sequential(
            nn.Linear(WIDTH, WIDTH),
            nn.GELU(),
            nn.LayerNorm(WIDTH),
            nn.Linear(WIDTH, words),
        )
        self._pixels = Pixels(IMAGE_SIZE)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the losses, and the share of texts rightly told true or false."""
        model: Any = self.model
        patches = encoded(model, self._pixels.of_batch(batch['images']), batch['shown'])
        hidden = fused(model, patches, batch['ids']).float()
        logits = model.itm_head(hidden[:, : 2 * CAPTIONS, 0]).float()
        matches = torch.zeros(logits.shape[:2], dtype=torch.int64, device=logits.device)
        matches[:, :CAPTIONS] = 1
        matching = functional.cross_entropy(logits.flatten(0, 1), matches.flatten())
        chosen = batch['guessed'] != IGNORED
        guesses = self.guess(hidden[:, 2 * CAPTIONS :][chosen]).float()
        masked = functional.cross_entropy(guesses, batch['guessed'][chosen])
        apart = contrast(model, patches, batch['ids'][:, 0], batch['unlike'])
        right = (logits.argmax(-1) == matches).float()
        guessed = (guesses.argmax(-1) == batch['guessed'][chosen]).float()
        return {
            'loss': matching + masked + _CONTRAST_WEIGHT * apart,
            'matching': matching,
            'masked': masked,
            'contrast': apart,
            'right': right.mean(),
            'guessed': guessed.mean(),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Train both stages and write the model and its tokenizer."""
    options = _options(arguments)
    try:
        _train(options)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f'Stopped; the same command goes on from the last checkpoint in {options.out}.',
            file=sys.stderr,
        )
        return 130
    return 0


def _train(options: argparse.Namespace) -> None:
    scenes = RenderedScenes(options.scenes, options.scene_count, options.workers)
    torch.manual_seed(options.seed)
    tokenizer = word_tokenizer()
    content = frozenset(tokenizer.get_vocab()[word] for word in content_words())
    words = Words(tokenizer, content)
    if options.begin_with:
        model = _trained(options.begin_with)
    else:
        model = small_blip(tokenizer)
        train(
            Recognition(model),
            partial(recognition_batch, scenes, options.batch * 4, options.seed),
            Plan(options.recognition_steps, rate=1e-3),
            options.out / 'recognition',
            options.device,
            options.workers,
        )
    matching = Plan(options.matching_steps, rate=5e-4 if options.begin_with else 8e-4)
    easy_share = 0 if options.begin_with else _EASY_SHARE

    def batch(step: int) -> dict[str, Tensor]:
        done = step / options.matching_steps
        phase = EASY if done < easy_share else WHOLE if done >= 1 - _WHOLE_SHARE else MIXED
        return matching_batch(scenes, words, options.batch, options.seed, step, phase)

    train(
        Matching(model, len(tokenizer)),
        batch,
        matching,
        options.out / 'matching',
        options.device,
        options.workers,
        slower=('model.vision_model', _VISION_SHARE),
    )
    model.half().save_pretrained(options.out / 'model')
    tokenizer.save_pretrained(options.out / 'model')
    print(f'The model is in {options.out / "model"}')


def _trained(folder: Path) -> BlipForImageTextRetrieval:
    """Return the model in a folder; raise WeightsNotFoundError where there is none."""
    loaded: BlipForImageTextRetrieval = found(
        lambda local: BlipForImageTextRetrieval.from_pretrained(
            folder, local_files_only=local, dtype=torch.float32
        ),
        folder,
        'matcher',
        True,
    )
    return loaded


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m iterprime_ros.training.matcher',
        description=_DESCRIPTION,
        epilog='example: python -m iterprime_ros.training.matcher --scenes ~/.cache/iterprime/'
        'scenes --out ~/matcher',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--scenes', type=Path, required=True, help='folder of rendered scenes')
    parser.add_argument('--scene-count', type=int, default=20480, help='how many (default: 20480)')
    parser.add_argument('--out', type=Path, required=True, help='folder of checkpoints and model')
    parser.add_argument(
        '--begin-with', type=Path, help='folder of a trained matcher to train on; no first stage'
    )
    parser.add_argument(
        '--recognition-steps', type=int, default=2200, help='of the first stage (default: 2200)'
    )
    parser.add_argument(
        '--matching-steps', type=int, default=4200, help='of the second stage (default: 4200)'
    )
    parser.add_argument('--batch', type=int, default=32, help='images a step (default: 32)')
    parser.add_argument('--seed', type=int, default=0, help='of data and weights (default: 0)')
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu', help='cpu or cuda'
    )
    parser.add_argument(
        '--workers', type=int, default=1, help='processes that prepare batches (default: 1)'
    )
    return parser.parse_args(arguments)


if __name__ == '__main__':
    sys.exit(main())
