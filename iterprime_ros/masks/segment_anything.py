"""The original `segment-anything` package and its .pth checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from iterprime_ros.errors import InvalidSettingError, WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.masks.proposer import Proposals, no_proposals
from iterprime_ros.masks.transforms import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Fit,
    check_image,
    fit_longest_side,
    to_masks,
    to_model_points,
    to_pixel_values,
)

VARIANTS = {(768, 12): 'vit_b', (1024, 24): 'vit_l', (1280, 32): 'vit_h'}  # width, blocks


@dataclass(frozen=True)
class SegmentAnythingEmbedding:
    """What is kept of a frame: features (1, 256, 64, 64) float32, and how the frame lay in them."""

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
        """Encode a frame (3, H, W) uint8 RGB; raise InvalidImageError for anything else."""
        check_image(image)
        fit = fit_longest_side((image.shape[1], image.shape[2]), self._encoder.img_size)
        values = to_pixel_values(image, fit, IMAGENET_MEAN, IMAGENET_STD).to(self._dtype)
        return SegmentAnythingEmbedding(self._encoder(values).float(), fit)

    @torch.inference_mode()
    def propose(self, embedding: SegmentAnythingEmbedding, points: Tensor) -> Proposals:
        """Return three masks for each of the points (P, 2), those of the first point first."""
        if not len(points):
            return no_proposals(embedding.fit.frame, points.device)
        prompts = to_model_points(points, embedding.fit)[:, None]
        sparse, dense = self._prompt_encoder(
            points=(prompts, torch.ones_like(prompts[..., 0])), boxes=None, masks=None
        )
        logits, scores = self._decoder(
            image_embeddings=embedding.features,
            image_pe=self._prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        return Proposals(to_masks(logits.flatten(0, 1), embedding.fit), scores.flatten())


def load_segment_anything(
    checkpoint: str | Path, device: torch.device | str, dtype: torch.dtype = torch.float32
) -> SegmentAnythingProposer:
    """Load a checkpoint (.pth) of vit_b, vit_l or vit_h, told apart by its shapes.

    dtype is that of the image encoder. Raises WeightsNotFoundError where there is no such file,
    WeightsMismatchError for a file that is not one of the three or lacks tensors, and
    InvalidSettingError where the package segment-anything is not installed or does not import.
    """
    registry = _registry()
    state = _read(Path(checkpoint))
    variant = _variant(checkpoint, state)
    with torch.device('meta'):  # no time is spent on weights that are replaced
        model = registry[variant]()
    _load(model, checkpoint, variant, state)
    model.requires_grad_(False).eval().to(device)
    model.image_encoder.to(dtype)
    return SegmentAnythingProposer(model)


def _registry() -> Mapping[str, Any]:
    try:
        from segment_anything import sam_model_registry
    except (ImportError, RuntimeError) as error:  # torchvision beside another torch: RuntimeError
        raise InvalidSettingError(
            f'The package segment-anything does not import ({error}): install it with a torchvision'
            ' that fits the installed torch, or choose a profile with a transformers SAM.'
        ) from error
    return sam_model_registry


def _read(checkpoint: Path) -> dict[str, Tensor]:
    if not checkpoint.is_file():
        raise WeightsNotFoundError(
            f'There is no SAM checkpoint at {checkpoint}: fetch it with `iterprime models fetch'
            ' PROFILE`.'
        )
    try:
        state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    except (RuntimeError, UnpicklingError, EOFError) as error:
        raise WeightsMismatchError(
            f'{checkpoint} is not a checkpoint that PyTorch can read: fetch it again with'
            ' `iterprime models fetch PROFILE`.'
        ) from error
    return state if isinstance(state, dict) else {}


def _variant(checkpoint: str | Path, state: dict[str, Tensor]) -> str:
    patches = state.get('image_encoder.patch_embed.proj.weight')
    blocks = sum(
        key.startswith('image_encoder.blocks.') and key.endswith('.norm1.weight') for key in state
    )
    shape = (0 if patches is None else len(patches), blocks)
    if shape not in VARIANTS:
        raise WeightsMismatchError(
            f'{checkpoint} holds no SAM image encoder of {", ".join(VARIANTS.values())}: it has'
            f' {blocks} blocks of width {shape[0]}.'
        )
    return VARIANTS[shape]


def _load(model: Any, checkpoint: str | Path, variant: str, state: dict[str, Tensor]) -> None:
    wanted = model.state_dict()
    missing = [key for key in wanted if key not in state]
    other = [key for key in wanted if key in state and state[key].shape != wanted[key].shape]
    for keys, said in ((missing, 'are missing'), (other, 'have another shape')):
        if keys:
            raise WeightsMismatchError(
                f'{checkpoint} does not hold the SAM {variant} that it looks like: {len(keys)} of'
                f' its tensors {said}, such as {", ".join(keys[:3])}.'
            )
    model.load_state_dict({key: state[key].float() for key in wanted}, assign=True)
