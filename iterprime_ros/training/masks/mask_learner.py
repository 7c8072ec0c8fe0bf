"""The mask model with its training losses."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from iterprime_ros.masks.sam import SamWithStem
from iterprime_ros.masks.transforms import IMAGENET_MEAN, IMAGENET_STD
from iterprime_ros.training.masks.mask_losses import mask_losses
from iterprime_ros.training.matcher.small_blip import IMAGE_SIZE
from iterprime_ros.training.scenes import HEIGHT, WIDTH

_UPSAMPLING = 2  # of the decoder's masks before they are compared with the true ones


class MaskLearner(nn.Module):
    """A SAM that is prompted with points in objects and trained on the masks of these objects."""

    def __init__(self, model: SamWithStem) -> None:
        super().__init__()
        self.model = model
        for name, values in (('mean', IMAGENET_MEAN), ('std', IMAGENET_STD)):
            levels = 255 * torch.tensor(values)[:, None, None]
            self.register_buffer(name, levels, persistent=False)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the losses of a batch of points_batch; see mask_losses."""
        model: Any = self.model
        scale = IMAGE_SIZE / WIDTH
        rows = round(scale * HEIGHT)
        resized = functional.interpolate(
            batch['images'].float(), (rows, IMAGE_SIZE), mode='bilinear', antialias=True
        ).round()
        pixels = (resized - self.mean) / self.std  # type: ignore[operator]
        padded = functional.pad(pixels, (0, 0, 0, IMAGE_SIZE - rows))
        features = model.vision_encoder(padded).last_hidden_state
        points = scale * batch['points'][:, :, None]
        # Point coordinates in half precision are wrong by pixels.
        with torch.autocast(points.device.type, enabled=False):
            sparse, dense = model.prompt_encoder(
                input_points=points,
                input_labels=torch.ones_like(points[..., 0], dtype=torch.int64),
                input_boxes=None,
                input_masks=None,
            )
            positions = model.get_image_wide_positional_embeddings()
        logits, predicted_iou = model.mask_decoder(
            image_embeddings=features,
            image_positional_embeddings=positions.repeat(len(points), 1, 1, 1),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        masks = batch['masks']
        side = _UPSAMPLING * logits.shape[-1]
        cell = WIDTH // side  # pixels of the scene along a cell of the compared masks
        upsampled = functional.interpolate(
            logits.float().flatten(0, 1), (side, side), mode='bilinear'
        )
        cropped = upsampled[..., : HEIGHT // cell, : WIDTH // cell].unflatten(0, masks.shape[:2])
        targets = functional.avg_pool2d(masks.float(), cell)[:, :, None]
        return mask_losses(cropped, predicted_iou.float(), targets)
