"""SAM and SAM 2 through transformers: one encoding per image, all points in one decoder batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedConfig, Sam2Model, SamModel
from transformers.image_processing_base import ImageProcessingMixin

from iterprime_ros.errors import InvalidSettingError, WeightsMismatchError, WeightsNotFoundError
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
from iterprime_ros.weights import ON_CPU, Placement, check_tensors, load_local_first

# The published SAM 2 weights serve images and videos and say sam2_video.
ARCHITECTURES = {'sam': SamModel, 'sam2': Sam2Model, 'sam2_video': Sam2Model}


@dataclass(frozen=True)
class SamEmbedding:
    """The encoded image.

    features: float32 feature map of SAM, or the list of feature maps of SAM 2.
    fit: how the image lies in the encoder's input.
    """

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
        """Encode an image (3, H, W) uint8 RGB; raise InvalidImageError for anything else."""
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
            return no_proposals(embedding.fit.image, points.device)
        prompts = to_model_points(points, embedding.fit)[None, :, None]
        output = self._model(
            image_embeddings=embedding.features,
            input_points=prompts,
            input_labels=torch.ones_like(prompts[..., 0], dtype=torch.int64),
            multimask_output=True,
        )
        masks = to_masks(output.pred_masks.flatten(0, 2), embedding.fit)
        return Proposals(masks, output.iou_scores.flatten())


def load_sam(source: str | Path | None, placement: Placement = ON_CPU) -> SamProposer:
    """Return the proposer of a SamModel or a Sam2Model, whichever config.json names.

    source: a folder with config.json and weights, or an id on the hub. Mean and standard deviation
    come from preprocessor_config.json where there is one.

    Raises WeightsNotFoundError and WeightsMismatchError, and InvalidSettingError without a source.
    """
    if source is None:
        raise InvalidSettingError('masks.weights must be given for masks of kind sam.')
    what, offline = 'SAM or SAM 2', placement.local_files_only
    settings = load_local_first(
        lambda local: _config_dict(source, local), source, f'{what} config.json', offline
    )
    architecture = _architecture(source, settings.pop('model_type', None))
    model, info = load_local_first(
        lambda local: architecture.from_pretrained(
            source,
            config=architecture.config_class.from_dict(settings),
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # check_tensors names them
            local_files_only=local,
        ),
        source,
        what,
        offline,
    )
    check_tensors(
        source,
        f'the {architecture.__name__} that its config.json describes',
        info['missing_keys'],
        misshapen=(str(key[0]) for key in info['mismatched_keys']),
    )
    model.requires_grad_(False).eval().to(placement.device)
    model.vision_encoder.to(placement.encoder_dtype)
    if isinstance(model, Sam2Model):  # these two run once per image, straight after the encoder
        model.mask_decoder.conv_s0.to(placement.encoder_dtype)
        model.mask_decoder.conv_s1.to(placement.encoder_dtype)
    return SamProposer(model, *_normalisation(source, offline))


def _config_dict(source: str | Path, local_files_only: bool) -> dict[str, Any]:
    """Return config.json; raise OSError where there is none."""
    config, _ = PreTrainedConfig.get_config_dict(source, local_files_only=local_files_only)
    if not config:  # what transformers returns for a folder without config.json
        raise OSError('it has no config.json')
    return config


def _architecture(source: str | Path, kind: str | None) -> Any:
    if kind not in ARCHITECTURES:
        raise WeightsMismatchError(
            f'{source} holds a model of type {kind}, but a SAM or SAM 2 was asked for'
            f' (model_type {", ".join(ARCHITECTURES)}).'
        )
    return ARCHITECTURES[kind]


def _normalisation(
    source: str | Path, local_files_only: bool
) -> tuple[Sequence[float], Sequence[float]]:
    """Return mean and standard deviation of RGB in [0, 1], ImageNet's where no file gives them."""
    try:
        values = load_local_first(
            lambda local: ImageProcessingMixin.get_image_processor_dict(
                source, local_files_only=local
            )[0],
            source,
            'preprocessor_config.json',
            local_files_only,
        )
    except (WeightsMismatchError, WeightsNotFoundError):
        values = {}
    return values.get('image_mean', IMAGENET_MEAN), values.get('image_std', IMAGENET_STD)
