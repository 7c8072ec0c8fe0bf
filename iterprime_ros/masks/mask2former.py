"""Mask2Former through transformers: one forward pass per image, whose queries are all proposed.

Cheng et al., "Masked-attention Mask Transformer for Universal Image Segmentation", CVPR 2022 (arXiv
2112.01527). IteRPrimE's code takes the masks of all queries, whatever their classes, where their
probability is above 0.35 (VoyageWang/IteRPrimE, mask2former/maskformer_model.py), after resizing
and padding by detectron2 (ResizeShortestEdge and DefaultPredictor with its defaults of 800 and
1333, SIZE_DIVISIBILITY of 32).
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Mask2FormerForUniversalSegmentation

from iterprime_ros.errors import InvalidSettingError, WeightsMismatchError
from iterprime_ros.masks.object_masks import ObjectSettings, distinct
from iterprime_ros.masks.proposer import Proposals, check_proposals, no_proposals
from iterprime_ros.masks.transforms import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Fit,
    check_image,
    fit_shortest_side,
    to_masks,
    to_pixel_values,
    unpadded,
)
from iterprime_ros.pretrained import load_pretrained, read_json
from iterprime_ros.weights import ON_CPU, Placement, model_folder, reading

SHORTEST, LONGEST, DIVISOR = 800, 1333, 32  # pixels of the model's input
MASK_PROBABILITY = 0.35  # above it a pixel belongs to a mask
_MASK_LOGIT = math.log(MASK_PROBABILITY / (1 - MASK_PROBABILITY))
_MODEL_TYPE = 'mask2former'
_REHEARSED_SIDE = 64  # pixels


@dataclass(frozen=True, eq=False)
class Mask2FormerEmbedding:
    """What the model says of an image.

    logits: (Q, h, w) float32 of the masks of all queries, at a quarter of the padded input's size.
    score: (Q,) float32 in [0, 1], the confidence in each.
    fit: how the image lies in the model's input.
    """

    logits: Tensor
    score: Tensor
    fit: Fit

    @cached_property
    def proposals(self) -> Proposals:
        """The masks of all queries at the size of the image, some of which may be empty."""
        return Proposals(to_masks(self.logits, self.fit, _MASK_LOGIT), self.score)


class Mask2FormerProposer:
    """The masks of all queries of a Mask2Former, which overlap and have every class.

    The predicted IoU is the score of Mask2Former's instances (facebookresearch/Mask2Former,
    maskformer_model.py, instance_inference): the probability of the likeliest class times the mean
    probability of the mask where it is above 0.5, here at the resolution of the model's output. The
    backbone runs in the type that it has, the rest in float32: sampling positions of the pixel
    decoder in half precision would be wrong by pixels.
    """

    def __init__(self, model: Mask2FormerForUniversalSegmentation) -> None:
        self._model = model

    @torch.inference_mode()
    def embed(self, image: Tensor) -> Mask2FormerEmbedding:
        """Segment an image (3, H, W) uint8 RGB; raise InvalidImageError for anything else.

        Raises WeightsMismatchError for what damaged weights give.
        """
        check_image(image)
        fit = fit_shortest_side((image.shape[1], image.shape[2]), SHORTEST, LONGEST, DIVISOR)
        values = to_pixel_values(image, fit, IMAGENET_MEAN, IMAGENET_STD)
        logits, classes = _queries(self._model, values)
        score = _score(unpadded(logits, fit), classes)
        check_proposals(logits, score)
        return Mask2FormerEmbedding(logits, score, fit)

    @torch.inference_mode()
    def propose(self, embedding: Mask2FormerEmbedding, points: Tensor) -> Proposals:
        """Return the masks of all queries, wherever the points (P, 2) are; none without points."""
        if not len(points):
            return no_proposals(embedding.fit.image, points.device)
        return embedding.proposals

    @torch.inference_mode()
    def objects(self, embedding: Mask2FormerEmbedding, settings: ObjectSettings) -> Proposals:
        """Return the queries that show distinct objects, judged at the output's resolution."""
        fit, score = embedding.fit, embedding.score
        chosen = distinct(unpadded(embedding.logits, fit) > _MASK_LOGIT, score, settings)
        return Proposals(to_masks(embedding.logits[chosen], fit, _MASK_LOGIT), score[chosen])


def load_mask2former(
    source: str | Path | None, placement: Placement = ON_CPU
) -> Mask2FormerProposer:
    """Return the proposer of a Mask2Former with a Swin backbone, of any size and task.

    source: a folder with config.json and weights, or an id on the hub.

    Raises WeightsNotFoundError and WeightsMismatchError, and InvalidSettingError without a source.
    """
    if source is None:
        raise InvalidSettingError('masks.weights must be given for masks of kind mask2former.')
    what = 'Mask2Former'
    folder = model_folder(source, what, placement)
    with reading(source, what, placement):
        kind = read_json(folder / 'config.json').get('model_type')
    if kind != _MODEL_TYPE:
        raise WeightsMismatchError(
            f'{source} holds a model of type {kind}, but a Mask2Former was asked for'
            f' (model_type {_MODEL_TYPE}).'
        )
    model = load_pretrained(
        Mask2FormerForUniversalSegmentation, folder, what, 'eager', _rehearse, placement
    )
    model.requires_grad_(False).eval().to(placement.device)
    model.model.pixel_level_module.encoder.to(placement.encoder_dtype)
    return Mask2FormerProposer(model)


def _rehearse(model: Any) -> None:
    """Segment an image, as Mask2FormerProposer does."""
    model.to('meta')  # the pixel decoder creates one parameter on the CPU, whatever the context
    _queries(model, torch.zeros(1, 3, _REHEARSED_SIDE, _REHEARSED_SIDE))


def _queries(model: Any, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits of all queries' masks (Q, h, w) and of their classes (Q, classes + 1).

    values: (1, 3, H, W) float32, the model's input.

    It is the forward pass of the model, with the backbone in its own type, and without the
    predictions of the decoder's earlier layers, which only training needs.
    """
    pixels, transformer = model.model.pixel_level_module, model.model.transformer_module
    dtype = next(pixels.encoder.parameters()).dtype
    maps = [each.float() for each in pixels.encoder(values.to(dtype)).feature_maps]
    decoded = pixels.decoder(maps)
    output = transformer(decoded.multi_scale_features, decoded.mask_features)
    classes = model.class_predictor(output.intermediate_hidden_states[-1][:, 0])
    return output.masks_queries_logits[-1][0], classes


def _score(logits: Tensor, classes: Tensor) -> Tensor:
    """Return the scores (Q,) of masks with logits (Q, h, w) and of classes (Q, classes + 1).

    The last class is that of no object. A mask that is nowhere likelier than not scores 0.
    """
    inside = logits > 0
    sums = (logits.sigmoid() * inside).flatten(1).sum(1)
    means = sums / inside.flatten(1).sum(1).clamp(min=1)
    return classes.softmax(-1)[:, :-1].amax(1) * means
