"""The models of the training stages: the small BLIP with training heads and losses."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm
from transformers import BlipForImageTextRetrieval

from iterprime_ros.grounding.fusion import MEAN, STD, Pixels
from iterprime_ros.training.matcher.recognition_batches import LABELS
from iterprime_ros.training.matcher.scene_images import scene_images
from iterprime_ros.training.matcher.small_blip import (
    GRID_SIZE,
    IMAGE_SIZE,
    WIDTH,
    image_features,
    match_logits,
)
from iterprime_ros.training.scenes import Scenes

_OBJECT_WEIGHT = 4.0  # added to the loss of patches that show an object
_ENCODING_BATCH = 64  # images encoded at once for the cache


class RecognitionLearner(nn.Module):
    """The image encoder with heads that classify kind, colour and size of what a patch shows."""

    def __init__(self, model: BlipForImageTextRetrieval) -> None:
        super().__init__()
        self.vision_model = model.vision_model
        self.heads = nn.ModuleDict({name: nn.Linear(WIDTH, 1 + n) for name, n in LABELS.items()})

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return scalars for a batch of recognition_batch.

        loss: the weighted cross-entropy of kind, colour and size.
        kind, colour, size: the accuracy on patches that show an object.
        """
        patches = image_features(self, _lit_pixels(batch))[:, 1:].float()
        scalars: dict[str, Tensor] = {'loss': torch.zeros((), device=patches.device)}
        for name, head in self.heads.items():
            labels = batch[name]
            logits = head(patches)
            weight = 1 + _OBJECT_WEIGHT * (labels > 0)
            loss = functional.cross_entropy(logits.transpose(1, 2), labels, reduction='none')
            scalars['loss'] = scalars['loss'] + (loss * weight).mean()
            is_correct = logits.argmax(-1) == labels
            scalars[name] = is_correct[labels > 0].float().mean()
        return scalars


class RegionLearner(nn.Module):
    """The whole model, which tells whether a text is true of the patches that it is shown.

    model: the small BLIP.
    scenes: of the batches; batches without images use cached features of their images.
    """

    def __init__(self, model: BlipForImageTextRetrieval, scenes: Scenes) -> None:
        super().__init__()
        self.model = model
        self._scenes = scenes
        self._pixels = Pixels(IMAGE_SIZE)
        self._cached_features: Tensor | None = None

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return scalars for a batch of region_batch.

        loss: the image-text matching loss.
        right: the accuracy.
        alone: the accuracy on texts of which one object alone is shown.
        """
        patches = self._image_features(batch)
        logits = match_logits(self.model, batch['input_ids'], patches, batch['is_shown'])
        logits, is_true = logits.float().flatten(0, 1), batch['is_true'].flatten()
        is_right = (logits.argmax(-1) == is_true).float()
        return {
            'loss': functional.cross_entropy(logits, is_true),
            'right': is_right.mean(),
            'alone': is_right[batch['is_alone'].flatten()].mean(),
        }

    def clear_cache(self) -> None:
        """Free the cached features; call this before the image encoder is trained."""
        self._cached_features = None

    def _image_features(self, batch: dict[str, Tensor]) -> Tensor:
        device = batch['input_ids'].device
        if 'images' in batch:
            return image_features(self.model, _lit_pixels(batch))
        if self._cached_features is None:
            self._cached_features = self._encode_all(device)
        return self._cached_features[batch['image_index'].cpu()].to(device).float()

    @torch.no_grad()
    def _encode_all(self, device: torch.device) -> Tensor:
        """Return the features (2 * scenes, 1 + N, D) bfloat16 of all images and mirror images."""
        model: Any = self.model
        model.vision_model.eval()
        versions = [(index, flip) for index in range(len(self._scenes)) for flip in (False, True)]
        features = torch.empty(len(versions), 1 + GRID_SIZE**2, WIDTH, dtype=torch.bfloat16)
        for first in tqdm(
            range(0, len(versions), _ENCODING_BATCH), desc='encoding', unit=' batches'
        ):
            chosen = versions[first : first + _ENCODING_BATCH]
            pixels = self._pixels.of_batch(scene_images(self._scenes, chosen).to(device))
            features[first : first + len(chosen)] = image_features(model, pixels)
        model.vision_model.train()
        return features


def _lit_pixels(batch: dict[str, Tensor]) -> Tensor:
    """Return pixels (B, 3, S, S) of a batch with `images` and what `lighting` returns.

    As Pixels.of_batch and then the light's gain and offset, in two passes over the memory.
    """
    images, gain, offset = batch['images'], batch['gain'], batch['offset']
    resized = functional.interpolate(
        images if images.device.type == 'cpu' else images.float(),
        (IMAGE_SIZE, IMAGE_SIZE),
        mode='bicubic',
        antialias=True,
        align_corners=False,
    )
    levels = resized.contiguous(memory_format=torch.channels_last).to(torch.bfloat16)
    mean, std = (
        torch.tensor(values, device=images.device)[:, None, None] for values in (MEAN, STD)
    )
    scale, shift = gain / (255 * std), offset - gain * mean / std
    return torch.addcmul(shift.to(levels.dtype), levels, scale.to(levels.dtype))
