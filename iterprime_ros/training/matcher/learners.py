"""The models of the training stages: the small BLIP with training heads and losses."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm
from transformers import BlipForImageTextRetrieval

from iterprime_ros.grounding.fusion import Pixels
from iterprime_ros.sim.scene import COLOURS, KINDS
from iterprime_ros.training.matcher.scene_images import scene_images
from iterprime_ros.training.matcher.small_blip import (
    IMAGE_SIZE,
    WIDTH,
    contrastive_loss,
    image_features,
    text_features,
)
from iterprime_ros.training.matcher.text_batches import CAPTIONS, CENTRE_PATCHES, IGNORE_INDEX
from iterprime_ros.training.scenes import RenderedScenes

_OBJECT_WEIGHT = 4.0  # added to the loss of patches that show an object
_CONTRASTIVE_WEIGHT = 0.2
_ENCODING_BATCH = 64  # images encoded at once for the cache


class RecognitionLearner(nn.Module):
    """The image encoder with two heads that classify the kind and the colour in each patch."""

    def __init__(self, model: BlipForImageTextRetrieval) -> None:
        super().__init__()
        self.vision_model = model.vision_model
        self.kind = nn.Linear(WIDTH, 1 + len(KINDS))
        self.colour = nn.Linear(WIDTH, 1 + len(COLOURS))
        self._pixels = Pixels(IMAGE_SIZE)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return scalars for a batch of recognition_batch.

        loss: the weighted cross-entropy of kind and colour.
        kind, colour: the accuracy on patches that show an object.
        """
        pixels = self._pixels.of_batch(batch['images'])
        patches = image_features(self, pixels, batch['patch_indices'])[:, 1:].float()
        scalars: dict[str, Tensor] = {'loss': torch.zeros((), device=patches.device)}
        for name, head in (('kind', self.kind), ('colour', self.colour)):
            labels = batch[name]
            logits = head(patches)
            weight = 1 + _OBJECT_WEIGHT * (labels > 0)
            loss = functional.cross_entropy(logits.transpose(1, 2), labels, reduction='none')
            scalars['loss'] = scalars['loss'] + (loss * weight).mean()
            is_correct = logits.argmax(-1) == labels
            scalars[name] = is_correct[labels > 0].float().mean()
        return scalars


class MatchingLearner(nn.Module):
    """The whole model with image-text matching, contrastive and masked language modelling losses.

    model: the small BLIP.
    vocabulary_size: number of tokens.
    scenes: scenes of the batches; batches without images use cached features of their images.
    """

    def __init__(
        self, model: BlipForImageTextRetrieval, vocabulary_size: int, scenes: RenderedScenes
    ) -> None:
        super().__init__()
        self.model = model
        self._scenes = scenes
        # The masked language modelling head; checkpoints have it under this name.
        self.guess = nn.Sequential(
            nn.Linear(WIDTH, WIDTH),
            nn.GELU(),
            nn.LayerNorm(WIDTH),
            nn.Linear(WIDTH, vocabulary_size),
        )
        self._pixels = Pixels(IMAGE_SIZE)
        self._cached_features: Tensor | None = None

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return scalars for a batch of matching_batch.

        loss: the weighted sum of the three losses.
        matching: the image-text matching loss.
        masked: the masked language modelling loss.
        contrast: the contrastive loss.
        right: the accuracy of image-text matching.
        guessed: the accuracy of the masked words.
        """
        model: Any = self.model
        input_ids = batch['input_ids']
        patches = self._image_features(batch)
        hidden = text_features(model, input_ids, patches).float()
        match_logits = model.itm_head(hidden[:, : 2 * CAPTIONS, 0]).float()
        is_match = torch.zeros(match_logits.shape[:2], dtype=torch.int64, device=hidden.device)
        is_match[:, :CAPTIONS] = 1
        matching = functional.cross_entropy(match_logits.flatten(0, 1), is_match.flatten())
        is_masked = batch['labels'] != IGNORE_INDEX
        labels = batch['labels'][is_masked]
        word_logits = self.guess(hidden[:, 2 * CAPTIONS :][is_masked]).float()
        masked = functional.cross_entropy(word_logits, labels)
        contrast = contrastive_loss(model, patches, input_ids[:, 0], batch['is_negative'])
        return {
            'loss': matching + masked + _CONTRASTIVE_WEIGHT * contrast,
            'matching': matching,
            'masked': masked,
            'contrast': contrast,
            'right': (match_logits.argmax(-1) == is_match).float().mean(),
            'guessed': (word_logits.argmax(-1) == labels).float().mean(),
        }

    def clear_cache(self) -> None:
        """Free the cached features; call this before the image encoder is trained."""
        self._cached_features = None

    def _image_features(self, batch: dict[str, Tensor]) -> Tensor:
        device = batch['input_ids'].device
        if 'images' in batch:
            pixels = self._pixels.of_batch(batch['images'])
            return image_features(self.model, pixels, batch['patch_indices'])
        if self._cached_features is None:
            self._cached_features = self._encode_all(device)
        return self._cached_features[batch['image_index'].cpu()].to(device).float()

    def _encode_all(self, device: torch.device) -> Tensor:
        """Return features (2 * scenes, 1 + M, D) bfloat16 of the centre patches of all images."""
        patch_indices = torch.from_numpy(CENTRE_PATCHES)[None].to(device)
        versions = [(index, flip) for index in range(len(self._scenes)) for flip in (False, True)]
        features = torch.empty(len(versions), 1 + len(CENTRE_PATCHES), WIDTH, dtype=torch.bfloat16)
        for first in tqdm(
            range(0, len(versions), _ENCODING_BATCH), desc='encoding', unit=' batches'
        ):
            chosen = versions[first : first + _ENCODING_BATCH]
            pixels = self._pixels.of_batch(scene_images(self._scenes, chosen).to(device))
            with torch.no_grad():
                features[first : first + len(chosen)] = image_features(
                    self.model, pixels, patch_indices.expand(len(chosen), -1)
                )
        return features
