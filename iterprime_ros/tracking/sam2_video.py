"""Masks carried by a published video model: EdgeTAM or SAM 2 through transformers.

Zhou et al., "EdgeTAM: On-Device Track Anything Model", CVPR 2025 (arXiv 2501.07256); Ravi et al.,
"SAM 2: Segment Anything in Images and Videos", 2024 (arXiv 2408.00714). Masks are prompts and
outputs become masks as by transformers' Sam2VideoProcessor, which needs torchvision (5.23,
models/sam2_video/processing_sam2_video.py). Both published models have the Apache License 2.0
(LICENSE of facebookresearch/EdgeTAM and facebookresearch/sam2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import Sam2VideoModel

from iterprime_ros.errors import InvalidImageError, InvalidSettingError, WeightsMismatchError
from iterprime_ros.masks.proposer import MaskProposer
from iterprime_ros.masks.sam import image_normalisation
from iterprime_ros.masks.transforms import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Size,
    fit_stretched,
    to_pixel_values,
)
from iterprime_ros.pretrained import load_pretrained, read_json
from iterprime_ros.tracking.edgetam import EdgeTam
from iterprime_ros.tracking.propagation import Propagated
from iterprime_ros.tracking.repvit import RepVitModel
from iterprime_ros.tracking.video_session import VideoSession, to_prompts
from iterprime_ros.weights import ON_CPU, Placement, check_finite, model_folder, reading


@dataclass(frozen=True)
class VideoModelKind:
    """A video model that can be loaded.

    name: in words.
    architecture: its class.
    model_type: what config.json says.
    weights: id of published weights on the hub.
    """

    name: str
    architecture: Any
    model_type: str
    weights: str


VIDEO_MODELS = {
    'edgetam': VideoModelKind('EdgeTAM', EdgeTam, 'edgetam_video', 'yonigozlan/EdgeTAM-hf'),
    'sam2_video': VideoModelKind(
        'SAM 2 for videos', Sam2VideoModel, 'sam2_video', 'facebook/sam2.1-hiera-tiny'
    ),
}


class VideoModelPropagator:
    """Carries masks with the memory of a video model; see Propagator.

    mean and std are of RGB in [0, 1]. The image encoder runs in the type that it has, everything
    else in float32. What is kept of a video does not grow with its length.
    """

    def __init__(self, model: Any, mean: Sequence[float], std: Sequence[float]) -> None:
        self._model, self._mean, self._std = model, mean, std
        self._session: VideoSession | None = None
        self._size: Size = (0, 0)

    @torch.inference_mode()
    def start(self, image: NDArray[np.uint8], masks: NDArray[np.bool_]) -> None:
        """Carry masks (K, H, W) of a frame (H, W, 3) uint8 RGB from now on; K may be 0.

        Raises InvalidImageError for another image or masks of another size, and
        WeightsMismatchError where the model gives no finite numbers.
        """
        _check_image(image)
        if masks.shape[1:] != image.shape[:2]:
            raise InvalidImageError(
                f'The masks of a track have the size of its first frame, {image.shape[:2]}, but '
                f'these are {masks.shape[1:]}.'
            )
        self._size, self._session = (image.shape[0], image.shape[1]), None
        if len(masks):
            values = self._values(image)
            given = torch.from_numpy(np.ascontiguousarray(masks)).to(values.device)
            prompts = to_prompts(given, values.shape[-1])
            self._session = VideoSession(self._model, values, prompts)
            check_finite('The video model', *self._session.tensors())

    @torch.inference_mode()
    def step(self, image: NDArray[np.uint8]) -> Propagated:
        """Return the masks in the next frame; a pixel of several belongs to the surest.

        Raises InvalidImageError for another image than (H, W, 3) uint8 of the size of the first,
        and WeightsMismatchError where the model gives no finite numbers.
        """
        _check_image(image)
        if image.shape[:2] != self._size:
            raise InvalidImageError(
                f'The frames of a track have one size, {self._size}, but this one is '
                f'{image.shape[:2]}: start a new track.'
            )
        if self._session is None:
            return Propagated(np.zeros((0, *self._size), dtype=bool), np.zeros(0))
        logits, seen = self._session.step(self._values(image))
        check_finite('The video model', logits, seen)
        masks = _apart(logits, self._size)
        confidences = seen.double().sigmoid() * masks.flatten(1).any(1)
        return Propagated(masks.cpu().numpy(), confidences.cpu().numpy())

    def _values(self, image: NDArray[np.uint8]) -> Tensor:
        """Return the model's input (1, 3, S, S) float32."""
        pixels = torch.from_numpy(np.ascontiguousarray(image)).to(self._model.device)
        fit = fit_stretched((image.shape[0], image.shape[1]), _side(self._model))
        return to_pixel_values(pixels.permute(2, 0, 1), fit, self._mean, self._std)


def load_video_model(
    kind: str, weights: str | Path | None, placement: Placement = ON_CPU
) -> VideoModelPropagator:
    """Return the propagator of a video model.

    kind: 'edgetam' or 'sam2_video'.
    weights: a folder with config.json and weights, or an id on the hub. Mean and standard deviation
        come from preprocessor_config.json where there is one.

    Raises InvalidSettingError for another kind or without weights, WeightsNotFoundError and
    WeightsMismatchError.
    """
    if kind not in VIDEO_MODELS:
        raise InvalidSettingError(
            f'There is no video model "{kind}": use {" or ".join(VIDEO_MODELS)}.'
        )
    wanted = VIDEO_MODELS[kind]
    if weights is None:
        raise InvalidSettingError(
            f'tracking.weights must be given for tracking of kind {kind}, such as {wanted.weights}.'
        )
    folder = model_folder(weights, wanted.name, placement)
    with reading(weights, wanted.name, placement):
        found = read_json(folder / 'config.json').get('model_type')
    if found != wanted.model_type:
        raise WeightsMismatchError(
            f'{weights} holds a model of type {found}, but {wanted.name} was asked for'
            f' (model_type {wanted.model_type}).'
        )
    normalisation = image_normalisation(folder, IMAGENET_MEAN, IMAGENET_STD)
    model = load_pretrained(wanted.architecture, folder, wanted.name, 'sdpa', _rehearse, placement)
    model.requires_grad_(False).eval()
    if isinstance(model.vision_encoder.backbone, RepVitModel):
        model.vision_encoder.backbone.fold()
    model.to(placement.device)
    model.vision_encoder.to(placement.encoder_dtype)
    # These two run once per frame, straight after the encoder.
    model.mask_decoder.conv_s0.to(placement.encoder_dtype)
    model.mask_decoder.conv_s1.to(placement.encoder_dtype)
    return VideoModelPropagator(model, *normalisation)


def load_edgetam(
    _proposer: MaskProposer, weights: str | Path | None, placement: Placement
) -> VideoModelPropagator:
    """Return the propagator of an EdgeTAM; see load_video_model. It asks no proposer."""
    return load_video_model('edgetam', weights, placement)


def load_sam2_video(
    _proposer: MaskProposer, weights: str | Path | None, placement: Placement
) -> VideoModelPropagator:
    """Return the propagator of a SAM 2 for videos; see load_video_model. It asks no proposer."""
    return load_video_model('sam2_video', weights, placement)


def _rehearse(model: Any) -> None:
    """Carry a mask into a second frame."""
    side = _side(model)
    values = torch.zeros(1, 3, side, side)
    session = VideoSession(model, values, torch.zeros(1, side, side, dtype=torch.bool))
    session.step(values)


def _apart(logits: Tensor, size: Size) -> Tensor:
    """Return masks (K, H, W) bool that do not overlap from logits (K, h, w)."""
    highest = torch.zeros(size, device=logits.device)
    owner = torch.full(size, -1, device=logits.device)
    for number, each in enumerate(logits):  # one by one: enlarged logits are large
        enlarged = functional.interpolate(
            each[None, None].float(), size, mode='bilinear', align_corners=False
        )[0, 0]
        owner[enlarged > highest] = number
        highest = torch.maximum(highest, enlarged)
    return owner == torch.arange(len(logits), device=logits.device)[:, None, None]


def _check_image(image: NDArray[np.uint8]) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise InvalidImageError(
            f'A frame must be (H, W, 3) uint8 with at least one pixel, but this one is '
            f'{image.shape} {image.dtype}.'
        )


def _side(model: Any) -> int:
    """Return the side of the model's input in pixels."""
    return int(model.config.image_size)
