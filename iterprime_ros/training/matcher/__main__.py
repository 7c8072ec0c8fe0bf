"""Train the tabletop matcher: a small BLIP that tells whether a text is true of an image.

First its image encoder learns to recognise things, patch by patch, as the published models start
from an encoder that does. The rest is learnt from image-text pairs alone, by the objectives of
ALBEF (Li et al., arXiv 2107.07651) and BLIP (Li et al., arXiv 2201.12086): matching with hard
negatives, contrast, and masked words. At first only the text side learns, on what the encoder made
of every picture once (as in LiT, Zhai et al., arXiv 2111.07991), at half the time a step; then all
of it does. Nothing ever tells it which object a text means.
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
from tqdm import tqdm
from transformers import BlipForImageTextRetrieval

from iterprime_ros.grounding.fusion import Pixels
from iterprime_ros.sim.scene import COLOURS, KINDS
from iterprime_ros.training.loop import Plan, train
from iterprime_ros.training.matcher.small_blip import (
    IMAGE_SIZE,
    WIDTH,
    contrast,
    encoded,
    fused,
    small_blip,
    trained_blip,
)
from iterprime_ros.training.matcher.text_batches import (
    CAPTIONS,
    EASY,
    IGNORED,
    MIDDLE,
    MIXED,
    SEEING,
    WHOLE,
    Words,
    matching_batch,
    pictures,
    recognition_batch,
)
from iterprime_ros.training.matcher.vocabulary import content_words, word_tokenizer
from iterprime_ros.training.options import exit_code, parser_of
from iterprime_ros.training.scenes import RenderedScenes

_SEEN_WEIGHT = 4.0  # of a patch that shows an object, above that of one that shows none
_CONTRAST_WEIGHT = 0.2
_EASY_SHARE = 0.15  # of the steps, the first ones, in which texts mostly name attributes
_WHOLE_SHARE = 0.2  # of the steps, the last ones, in which whole images are seen
_ENCODED = 64  # pictures at once
_STEPS = {'recognition': 2200, 'reading': 10000, 'matching': 4200}
_VISION_SHARE = 0.4  # of the learning rate, for the encoder that knows something already

_DESCRIPTION = """\
Train the matcher of the tabletop profile: its image encoder to recognise kinds and colours, then
its text side to read (2 GB of memory for the images), then all of it to match images and texts.
Scenes are rendered once into --scenes. Killed at any time, the same command goes on from the last
checkpoint in --out; the model is in --out/model at the end.
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
    """The whole model with a head that guesses masked words.

    scenes: where batches come from; for those without images every picture is encoded once.
    """

    def __init__(
        self, model: BlipForImageTextRetrieval, words: int, scenes: RenderedScenes
    ) -> None:
        super().__init__()
        self.model = model
        self._scenes = scenes
        self.guess = nn.Sequential(
            nn.Linear(WIDTH, WIDTH),
            nn.GELU(),
            nn.LayerNorm(WIDTH),
            nn.Linear(WIDTH, words),
        )
        self._pixels = Pixels(IMAGE_SIZE)
        self._known: Tensor | None = None

    def forget(self) -> None:
        """Free what was kept of the images."""
        self._known = None

    def _patches(self, batch: dict[str, Tensor]) -> Tensor:
        device = batch['ids'].device
        if 'images' in batch:
            return encoded(self.model, self._pixels.of_batch(batch['images']), batch['shown'])
        if self._known is None:
            self._known = self._all_encoded(device)
        return self._known[batch['picture'].cpu()].to(device).float()

    def _all_encoded(self, device: torch.device) -> Tensor:
        """Return what the encoder makes of every picture: (P, 1 + M, D) bfloat16."""
        shown = torch.from_numpy(MIDDLE)[None].to(device)
        numbers = [(index, flip) for index in range(len(self._scenes)) for flip in (False, True)]
        known = torch.empty(len(numbers), 1 + len(MIDDLE), WIDTH, dtype=torch.bfloat16)
        for first in tqdm(range(0, len(numbers), _ENCODED), desc='encoding', unit=' batches'):
            chosen = numbers[first : first + _ENCODED]
            pixels = self._pixels.of_batch(pictures(self._scenes, chosen).to(device))
            with torch.no_grad():
                patches = encoded(self.model, pixels, shown.expand(len(chosen), -1))
            known[first : first + len(chosen)] = patches
        return known

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the losses, and the share of texts rightly told true or false."""
        model: Any = self.model
        patches = self._patches(batch)
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
    """Train every stage and write the model and its tokenizer."""
    parser = parser_of(
        'matcher', _DESCRIPTION, '--scenes ~/.cache/iterprime/scenes --out ~/matcher', batch=32
    )
    parser.add_argument(
        '--begin-with', type=Path, help='folder of a trained matcher to train on; no first stage'
    )
    for stage, steps in _STEPS.items():
        parser.add_argument(
            f'--{stage}-steps', type=int, default=steps, help=f'of that stage (default: {steps})'
        )
    return exit_code(_train, parser.parse_args(arguments))


def _train(options: argparse.Namespace) -> None:
    scenes = RenderedScenes(options.scenes, options.scene_count)
    torch.manual_seed(options.seed)
    tokenizer = word_tokenizer()
    content = frozenset(tokenizer.get_vocab()[word] for word in content_words())
    words = Words(tokenizer, content)
    where = options.device, options.workers
    if options.begin_with:
        model = trained_blip(options.begin_with)
    else:
        model = small_blip(tokenizer)
        train(
            Recognition(model),
            partial(recognition_batch, scenes, options.batch * 4, options.seed),
            Plan(options.recognition_steps, rate=1e-3),
            options.out / 'recognition',
            *where,
        )
    learner = Matching(model, len(tokenizer), scenes)
    easy_until = 0 if options.begin_with else _EASY_SHARE * options.reading_steps
    whole_from = (1 - _WHOLE_SHARE) * options.matching_steps

    def reading(step: int) -> dict[str, Tensor]:
        phase = EASY if step < easy_until else MIXED
        return matching_batch(scenes, words, options.batch, options.seed, step, phase)

    def matching(step: int) -> dict[str, Tensor]:
        phase = WHOLE if step >= whole_from else SEEING
        return matching_batch(scenes, words, options.batch, options.seed + 1, step, phase)

    train(learner, reading, Plan(options.reading_steps, rate=8e-4), options.out / 'reading', *where)
    learner.forget()
    train(
        learner,
        matching,
        Plan(options.matching_steps, rate=5e-4),
        options.out / 'matching',
        *where,
        slower=('model.vision_model', _VISION_SHARE),
    )
    model.half().save_pretrained(options.out / 'model')
    tokenizer.save_pretrained(options.out / 'model')
    print(f'The model is in {options.out / "model"}')


if __name__ == '__main__':
    sys.exit(main())
