"""SAM and SAM 2 through transformers: one encoding per image, all points in one decoder batch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Sam2Model, SamConfig, SamModel
from transformers.image_processing_base import ImageProcessingMixin

from iterprime_ros.conv_stem import stem_of
from iterprime_ros.errors import InvalidSettingError, WeightsMismatchError
from iterprime_ros.masks.object_masks import ObjectSettings, best_of_each, distinct, grid_points
from iterprime_ros.masks.proposer import Proposals, check_proposals, no_proposals
from iterprime_ros.masks.sam_decoder import best_masks
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
    unpadded,
)
from iterprime_ros.pretrained import load_pretrained, read_json
from iterprime_ros.weights import ON_CPU, Placement, model_folder, reading


class SamWithStem(SamModel):
    """A SamModel whose patches come from a ConvStem where `vision_config` has a `patch_stem`.

    Raises ValueError for a `patch_stem` that describes no stem of this model.
    """

    def __init__(self, config: SamConfig) -> None:
        super().__init__(config)
        stem: Any = stem_of(config.vision_config)
        if stem is not None:
            self.vision_encoder.patch_embed.projection = stem


# The published SAM 2 weights serve images and videos and say sam2_video.
ARCHITECTURES = {'sam': SamWithStem, 'sam2': Sam2Model, 'sam2_video': Sam2Model}
_POINTS_AT_ONCE = 32  # more would need gigabytes for a published SAM
_PREPROCESSING = ('preprocessor_config.json', 'processor_config.json')


@dataclass(frozen=True)
class SamEmbedding:
    """The encoded image.

    features: float32 feature map of SAM, or the list of feature maps of SAM 2.
    fit: how the image lies in the encoder's input.
    """

    features: Tensor | list[Tensor]
    fit: Fit

    @property
    def device(self) -> torch.device:
        """The device of the features."""
        return (self.features if isinstance(self.features, Tensor) else self.features[0]).device


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
        logits, predicted_iou = self._decoded(embedding, points)
        return Proposals(to_masks(logits, embedding.fit), predicted_iou)

    @torch.inference_mode()
    def objects(self, embedding: SamEmbedding, settings: ObjectSettings) -> Proposals:
        """Return the objects at a grid of points, judged at the resolution of the decoder."""
        fit = embedding.fit
        points = grid_points(fit.image, settings.grid, embedding.device)
        parts = [
            self._best_masks(embedding, some, settings.min_predicted_iou)
            for some in points.split(_POINTS_AT_ONCE)
        ]
        logits, predicted_iou = (torch.cat(part) for part in zip(*parts, strict=True))
        check_proposals(logits, predicted_iou)
        chosen = distinct(unpadded(logits, fit) > 0, predicted_iou, settings)
        return Proposals(to_masks(logits[chosen], fit), predicted_iou[chosen])

    def _best_masks(
        self, embedding: SamEmbedding, points: Tensor, min_predicted_iou: float
    ) -> tuple[Tensor, Tensor]:
        """Return the logits (K, h, w) of the best mask of each point, and their predicted IoU.

        Points whose best mask is predicted to be too bad may be left out.
        """
        model, features = self._model, embedding.features
        if isinstance(model, Sam2Model) or not isinstance(features, Tensor):
            logits, predicted_iou = self._decoded(embedding, points)
            return best_of_each(logits, predicted_iou, len(points))
        prompts = to_model_points(points, embedding.fit)[None, :, None]
        sparse, dense = model.prompt_encoder(
            input_points=prompts,
            input_labels=torch.ones_like(prompts[..., 0], dtype=torch.int64),
            input_boxes=None,
            input_masks=None,
        )
        positions = model.get_image_wide_positional_embeddings()
        image = (features + dense)[0]
        return best_masks(model.mask_decoder, image, positions[0], sparse[0], min_predicted_iou)

    def _decoded(self, embedding: SamEmbedding, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (3 P, h, w) of masks at points, and their predicted IoU (3 P,)."""
        prompts = to_model_points(points, embedding.fit)[None, :, None]
        output = self._model(
            image_embeddings=embedding.features,
            input_points=prompts,
            input_labels=torch.ones_like(prompts[..., 0], dtype=torch.int64),
            multimask_output=True,
        )
        logits, predicted_iou = output.pred_masks.flatten(0, 2), output.iou_scores.flatten()
        check_proposals(logits, predicted_iou)
        return logits, predicted_iou


def load_sam(source: str | Path | None, placement: Placement = ON_CPU) -> SamProposer:
    """Return the proposer of a SamModel or a Sam2Model, whichever config.json names.

    source: a folder with config.json and weights, or an id on the hub. Mean and standard deviation
        come from preprocessor_config.json where there is one.

    Raises WeightsNotFoundError and WeightsMismatchError, and InvalidSettingError without a source.
    """
    if source is None:
        raise InvalidSettingError('masks.weights must be given for masks of kind sam.')
    what = 'SAM or SAM 2'
    folder = model_folder(source, what, placement)
    with reading(source, what, placement):
        kind = read_json(folder / 'config.json').get('model_type')
    if not isinstance(kind, str) or kind not in ARCHITECTURES:
        raise WeightsMismatchError(
            f'{source} holds a model of type {kind}, but a SAM or SAM 2 was asked for'
            f' (model_type {", ".join(ARCHITECTURES)}).'
        )
    normalisation = image_normalisation(folder, IMAGENET_MEAN, IMAGENET_STD)
    model = load_pretrained(ARCHITECTURES[kind], folder, what, 'sdpa', _rehearse, placement)
    model.requires_grad_(False).eval().to(placement.device)
    model.vision_encoder.to(placement.encoder_dtype)
    if isinstance(model, Sam2Model):  # these two run once per image, straight after the encoder
        model.mask_decoder.conv_s0.to(placement.encoder_dtype)
        model.mask_decoder.conv_s1.to(placement.encoder_dtype)
    return SamProposer(model, *normalisation)


def _rehearse(model: Any) -> None:
    """Propose masks at a point of an image, as SamProposer does."""
    side = model.config.prompt_encoder_config.image_size
    points = torch.zeros(1, 1, 1, 2)
    model(
        image_embeddings=model.get_image_embeddings(torch.zeros(1, 3, side, side)),
        input_points=points,
        input_labels=torch.ones_like(points[..., 0], dtype=torch.int64),
        multimask_output=True,
    )


def image_normalisation(
    folder: Path, default_mean: Sequence[float], default_std: Sequence[float]
) -> tuple[Sequence[float], Sequence[float]]:
    """Return mean and standard deviation of RGB in [0, 1], the defaults where no file gives them.

    folder: a model in transformers' format.

    Raises WeightsMismatchError for a file without three finite numbers each, or a deviation of 0.
    """
    if not any((folder / name).is_file() for name in _PREPROCESSING):
        return default_mean, default_std
    with reading(folder, 'image normalisation'):
        values, _ = ImageProcessingMixin.get_image_processor_dict(folder, local_files_only=True)
        mean = values.get('image_mean', default_mean)
        std = values.get('image_std', default_std)
        # A comparison with NaN is False.
        if len(mean) != 3 or len(std) != 3 or not all(abs(each) < math.inf for each in mean):
            raise ValueError(f'image_mean is {mean} and image_std {std}')
        if not all(0 < each < math.inf for each in std):
            raise ValueError(f'image_std is {std}')
    return mean, std
