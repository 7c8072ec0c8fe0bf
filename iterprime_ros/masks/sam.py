"""SAM and SAM 2 through transformers: one image encoding a frame, points in one decoder batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import PreTrainedConfig, Sam2Model, SamModel
from transformers.image_processing_base import ImageProcessingMixin

from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.masks.proposer import Proposals, no_proposals
from iterprime_ros.masks.transforms import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Fit,
    check_image,
    fit_longest_side,
    fit_stretched,
    to_masks,
    to_model_points,
    to_pixel_values,
)

# The published SAM 2 weights serve images and videos and say sam2_video.
ARCHITECTURES = {'sam': SamModel, 'sam2': Sam2Model, 'sam2_video': Sam2Model}


@dataclass(frozen=True)
class SamEmbedding:
    """What is kept of a frame: the encoder's features, float32, and how the frame lay in it."""

    features: Tensor | list[Tensor]
    fit: Fit


class SamProposer:
    """Three masks for every point, whole, part and subpart, with the IoU that SAM predicts.

    mean and std are of RGB in [0, 1]. The image encoder runs in the type that it has, prompts and
    masks in float32: a position in half precision would be wrong by pixels.
    """

    def __init__(
        self, model: SamModel | Sam2Model, mean: Sequence[float], std: Sequence[float]
    ) -> None:
        self._model = model
        self._mean, self._std = mean, std
        self._fit = fit_longest_side if isinstance(model, SamModel) else fit_stretched
        config: Any = model.config.prompt_encoder_config
        self._side = int(config.image_size)
        self._dtype = next(model.vision_encoder.parameters()).dtype

    @torch.inference_mode()
    def embed(self, image: Tensor) -> SamEmbedding:
        """Encode a frame (3, H, W) uint8 RGB; raise InvalidImageError for anything else."""
        check_image(image)
        fit = self._fit((image.shape[1], image.shape[2]), self._side)
        values = to_pixel_values(image, fit, self._mean, self._std).to(self._dtype)
        features = self._model.get_image_embeddings(values)
        if isinstance(features, Tensor):
            return SamEmbedding(features.float(), fit)
        return SamEmbedding([level.float() for level in features], fit)

    @torch.inference_mode()
    def propose(self, embedding: SamEmbedding, points: Tensor) -> Proposals:
        """Return three masks for each of the points (P, 2), those of the first point first."""
        if not len(points):
            return no_proposals(embedding.fit.frame, points.device)
        prompts = to_model_points(points, embedding.fit)[None, :, None]
        output = self._model(
            image_embeddings=embedding.features,
            input_points=prompts,
            input_labels=torch.ones_like(prompts[..., 0], dtype=torch.int64),
            multimask_output=True,
        )
        masks = to_masks(output.pred_masks.flatten(0, 2), embedding.fit)
        return Proposals(masks, output.iou_scores.flatten())


def load_sam(
    folder_or_id: str | Path,
    device: torch.device | str,
    dtype: torch.dtype = torch.float32,
    local_files_only: bool = False,
) -> SamProposer:
    """Load a SamModel or a Sam2Model, whichever its config.json names.

    folder_or_id: a folder with config.json and weights, or a repository of the hub, looked for in
    the hub's cache first. dtype is that of the image encoder. With `local_files_only` nothing is
    downloaded. Mean and standard deviation come from preprocessor_config.json when it is there.
    Raises WeightsNotFoundError where there are no such weights or the hub cannot be reached, and
    WeightsMismatchError for weights of another architecture, damaged ones, or with some missing.
    """
    where = {'local_files_only': local_files_only}
    try:
        settings, _ = PreTrainedConfig.get_config_dict(folder_or_id, **where)
        if not settings:  # a folder without config.json
            raise _not_found(folder_or_id)
        architecture = _architecture(folder_or_id, settings.pop('model_type', None))
        model, info = architecture.from_pretrained(
            folder_or_id,
            config=architecture.config_class.from_dict(settings),
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told apart below, in one sentence
            **where,
        )
    except OSError as error:
        raise _not_found(folder_or_id) from error
    except SafetensorError as error:
        raise WeightsMismatchError(
            f'The weights at {folder_or_id} are damaged ({error}): fetch them again with `iterprime'
            ' models fetch PROFILE`.'
        ) from error
    _check_tensors(folder_or_id, architecture, info)
    model.requires_grad_(False).eval().to(device)
    model.vision_encoder.to(dtype)
    if isinstance(model, Sam2Model):  # these two run once a frame, straight after the encoder
        model.mask_decoder.conv_s0.to(dtype)
        model.mask_decoder.conv_s1.to(dtype)
    return SamProposer(model, *_normalisation(folder_or_id, local_files_only))


def _not_found(folder_or_id: str | Path) -> WeightsNotFoundError:
    return WeightsNotFoundError(
        f'No SAM weights were found at {folder_or_id}, neither as a folder with config.json and'
        ' model.safetensors nor in the cache or on the hub: fetch them with `iterprime models'
        ' fetch PROFILE`.'
    )


def _architecture(folder_or_id: str | Path, kind: str | None) -> Any:
    if kind not in ARCHITECTURES:
        raise WeightsMismatchError(
            f'{folder_or_id} holds a model of type {kind}, but a SAM or SAM 2 was asked for'
            f' (model_type {", ".join(ARCHITECTURES)}).'
        )
    return ARCHITECTURES[kind]


def _check_tensors(folder_or_id: str | Path, architecture: Any, info: dict[str, Any]) -> None:
    missing = sorted(info['missing_keys'])
    other = sorted(str(key[0]) for key in info['mismatched_keys'])
    for keys, said in ((missing, 'are missing'), (other, 'have another shape')):
        if keys:
            raise WeightsMismatchError(
                f'{folder_or_id} does not hold the {architecture.__name__} that its config.json'
                f' describes: {len(keys)} of its tensors {said}, such as {", ".join(keys[:3])}.'
            )


def _normalisation(
    folder_or_id: str | Path, local_files_only: bool
) -> tuple[Sequence[float], Sequence[float]]:
    """Return mean and standard deviation of RGB in [0, 1], ImageNet's where no file says them."""
    try:
        values, _ = ImageProcessingMixin.get_image_processor_dict(
            folder_or_id, local_files_only=local_files_only
        )
    except OSError:
        values = {}
    return values.get('image_mean', IMAGENET_MEAN), values.get('image_std', IMAGENET_STD)
