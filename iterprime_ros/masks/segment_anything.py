"""The original `segment-anything` package and its .pth checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from iterprime_ros.errors import InvalidSettingError, WeightsMismatchError
from iterprime_ros.masks.object_masks import ObjectSettings, best_of_each, distinct, grid_points
from iterprime_ros.masks.proposer import Proposals, check_proposals, no_proposals
from iterprime_ros.masks.transforms import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Fit,
    check_image,
    fit_longest_side,
    to_masks,
    to_model_points,
    to_pixel_values,
    unpadded,
)
from iterprime_ros.torchvision_import import mend_torchvision
from iterprime_ros.weights import ON_CPU, Placement, check_tensors, only_tensors, read_checkpoint

_POINTS_AT_ONCE = 32  # more would need gigabytes
VARIANTS = {(768, 12): 'vit_b', (1024, 24): 'vit_l', (1280, 32): 'vit_h'}  # width, blocks


@dataclass(frozen=True)
class SegmentAnythingEmbedding:
    """The encoded image.

    features: (1, 256, 64, 64) float32.
    fit: how the image lies in the encoder's input.
    """

    features: Tensor
    fit: Fit


class SegmentAnythingProposer:
    """Three masks for every point, with the IoU that SAM predicts.

    The image encoder runs in the type that it has, prompts and masks in float32.
    """

    def __init__(self, model: Any) -> None:
        self._encoder = model.image_encoder
        self._prompt_encoder = model.prompt_encoder
        self._decoder = model.mask_decoder
        self._dtype = next(self._encoder.parameters()).dtype

    @torch.inference_mode()
    def embed(self, image: Tensor) -> SegmentAnythingEmbedding:
        """Encode an image (3, H, W) uint8 RGB; raise InvalidImageError for anything else."""
        check_image(image)
        fit = fit_longest_side((image.shape[1], image.shape[2]), self._encoder.img_size)
        values = to_pixel_values(image, fit, IMAGENET_MEAN, IMAGENET_STD).to(self._dtype)
        return SegmentAnythingEmbedding(self._encoder(values).float(), fit)

    @torch.inference_mode()
    def propose(self, embedding: SegmentAnythingEmbedding, points: Tensor) -> Proposals:
        """Return three masks for each of the points (P, 2), those of the first point first."""
        if not len(points):
            return no_proposals(embedding.fit.image, points.device)
        logits, predicted_iou = self._decoded(embedding, points)
        return Proposals(to_masks(logits, embedding.fit), predicted_iou)

    @torch.inference_mode()
    def objects(self, embedding: SegmentAnythingEmbedding, settings: ObjectSettings) -> Proposals:
        """Return the objects at a grid of points, judged at the resolution of the decoder."""
        fit = embedding.fit
        points = grid_points(fit.image, settings.grid, embedding.features.device)
        parts = [
            best_of_each(*self._decoded(embedding, some), len(some))
            for some in points.split(_POINTS_AT_ONCE)
        ]
        logits, predicted_iou = (torch.cat(part) for part in zip(*parts, strict=True))
        chosen = distinct(unpadded(logits, fit) > 0, predicted_iou, settings)
        return Proposals(to_masks(logits[chosen], fit), predicted_iou[chosen])

    def _decoded(
        self, embedding: SegmentAnythingEmbedding, points: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the logits (3 P, h, w) of masks at points, and their predicted IoU (3 P,)."""
        prompts = to_model_points(points, embedding.fit)[:, None]
        sparse, dense = self._prompt_encoder(
            points=(prompts, torch.ones_like(prompts[..., 0])), boxes=None, masks=None
        )
        logits, predicted_iou = self._decoder(
            image_embeddings=embedding.features,
            image_pe=self._prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        logits, predicted_iou = logits.flatten(0, 1), predicted_iou.flatten()
        check_proposals(logits, predicted_iou)
        return logits, predicted_iou


def load_segment_anything(
    checkpoint: str | Path | None, placement: Placement = ON_CPU
) -> SegmentAnythingProposer:
    """Return the proposer of a checkpoint (.pth) of vit_b, vit_l or vit_h, told apart by shapes.

    Raises WeightsNotFoundError where there is no such file, WeightsMismatchError for a file that is
    not one of the three or lacks tensors, and InvalidSettingError without a checkpoint, or where
    the package segment-anything does not import.
    """
    if checkpoint is None:
        raise InvalidSettingError('masks.weights must be given for masks of kind segment_anything.')
    registry = _registry()
    state = only_tensors(read_checkpoint(Path(checkpoint), 'SAM checkpoint'))
    variant = _variant(checkpoint, state)
    with torch.device('meta'):  # no time is spent on weights that are replaced
        model = registry[variant]()
    _load(model, checkpoint, variant, state)
    model.requires_grad_(False).eval().to(placement.device)
    model.image_encoder.to(placement.encoder_dtype)
    return SegmentAnythingProposer(model)


def _registry() -> Mapping[str, Any]:
    try:
        mend_torchvision()
        from segment_anything import sam_model_registry
    except (ImportError, RuntimeError) as error:  # of a torchvision that does not fit the torch
        raise InvalidSettingError(
            f'The package segment-anything does not import ({error}): install it with a torchvision'
            ' that fits the installed torch, or choose a profile with a transformers SAM.'
        ) from error
    return sam_model_registry


def _variant(checkpoint: str | Path, state: dict[str, Tensor]) -> str:
    patches = state.get('image_encoder.patch_embed.proj.weight')
    blocks = sum(
        key.startswith('image_encoder.blocks.') and key.endswith('.norm1.weight') for key in state
    )
    shape = (0 if patches is None or not patches.ndim else len(patches), blocks)
    if shape not in VARIANTS:
        raise WeightsMismatchError(
            f'{checkpoint} holds no SAM image encoder of {", ".join(VARIANTS.values())}: it has'
            f' {blocks} blocks of width {shape[0]}.'
        )
    return VARIANTS[shape]


def _load(model: Any, checkpoint: str | Path, variant: str, state: dict[str, Tensor]) -> None:
    expected = model.state_dict()
    check_tensors(
        checkpoint,
        f'SAM {variant}',
        missing=(key for key in expected if key not in state),
        misshapen=(
            key for key in expected if key in state and state[key].shape != expected[key].shape
        ),
        integer=(key for key in expected if key in state and not state[key].is_floating_point()),
    )
    model.load_state_dict({key: state[key].float() for key in expected}, assign=True)
