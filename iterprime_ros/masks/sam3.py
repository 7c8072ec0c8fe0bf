"""SAM 3 through transformers: a noun phrase in, the masks of all its instances out.

Carion et al., "SAM 3: Segment Anything with Concepts", 2025 (arXiv 2511.16719). The image is
encoded once, and each phrase once; texts, scores and masks are treated as by transformers'
Sam3Processor (models/sam3/processing_sam3.py and image_processing_sam3.py,
post_process_instance_segmentation, 5.23).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase

# Not from transformers, which names the model only where torchvision is installed: it needs it for
# prompts of boxes alone.
from transformers.models.sam3.modeling_sam3 import Sam3Model

from iterprime_ros.errors import InvalidSettingError, WeightsMismatchError
from iterprime_ros.hub import TOKENIZER_FILES
from iterprime_ros.masks.proposer import Proposals, check_proposals, no_proposals
from iterprime_ros.masks.sam import image_normalisation
from iterprime_ros.masks.transforms import (
    Fit,
    check_image,
    fit_stretched,
    to_masks,
    to_pixel_values,
)
from iterprime_ros.pretrained import load_pretrained, read_json
from iterprime_ros.weights import ON_CPU, Placement, model_folder, reading

SCORE = 0.3  # instances of no higher score are dropped
MASK_PROBABILITY = 0.5  # above it a pixel belongs to a mask
MODEL_TYPES = ('sam3', 'sam3_video')  # the published weights serve images and videos
_HALF = (0.5, 0.5, 0.5)  # mean and deviation of RGB where no file gives them


@dataclass(frozen=True, eq=False)
class Sam3Embedding:
    """The encoded image.

    features: what Sam3Model.get_vision_features returned.
    fit: how the image lies in the encoder's input.
    """

    features: Any
    fit: Fit


class Sam3Proposer:
    """The instances of noun phrases. It is asked by text, and proposes nothing at points.

    mean and std are of RGB in [0, 1]. The image encoder's backbone runs in the type that it has,
    everything else in float32.
    """

    def __init__(
        self,
        model: Sam3Model,
        tokenizer: PreTrainedTokenizerBase,
        normalisation: tuple[Any, Any] = (_HALF, _HALF),
    ) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._mean, self._std = normalisation
        self._dtype = next(model.vision_encoder.backbone.parameters()).dtype

    @torch.inference_mode()
    def embed(self, image: Tensor) -> Sam3Embedding:
        """Encode an image (3, H, W) uint8 RGB; raise InvalidImageError for anything else."""
        check_image(image)
        fit = fit_stretched((image.shape[1], image.shape[2]), _side(self._model))
        values = to_pixel_values(image, fit, self._mean, self._std).to(self._dtype)
        return Sam3Embedding(self._model.get_vision_features(values), fit)

    def propose(self, embedding: Sam3Embedding, points: Tensor) -> Proposals:
        """Return no masks, whatever the points (P, 2)."""
        return no_proposals(embedding.fit.image, points.device)

    @torch.inference_mode()
    def instances(self, embedding: Sam3Embedding, phrase: str) -> Proposals:
        """Return the instances of a noun phrase, best first; they may overlap.

        The predicted IoU is the score: the probability that the query shows the phrase times the
        one that the image does.
        """
        device = embedding.features.fpn_hidden_states[0].device
        text = self._tokenizer(
            phrase,
            padding='max_length',
            truncation=True,
            max_length=_most_tokens(self._model),
            return_tensors='pt',
        ).to(device)
        output = self._model(
            vision_embeds=embedding.features,
            input_ids=text['input_ids'],
            attention_mask=text['attention_mask'],
        )
        scores = output.pred_logits[0].sigmoid() * output.presence_logits[0].sigmoid()
        check_proposals(output.pred_masks, scores)
        order = scores.argsort(descending=True, stable=True)
        kept = order[scores[order] > SCORE]
        masks = to_masks(output.pred_masks[0, kept].sigmoid(), embedding.fit, MASK_PROBABILITY)
        return Proposals(masks, scores[kept])


def load_sam3(source: str | Path | None, placement: Placement = ON_CPU) -> Sam3Proposer:
    """Return the proposer of a SAM 3.

    source: a folder with config.json, weights and the files of the tokenizer, or an id on the hub.
        Mean and standard deviation come from preprocessor_config.json where there is one.

    Raises WeightsNotFoundError and WeightsMismatchError, and InvalidSettingError without a source.
    """
    if source is None:
        raise InvalidSettingError('masks.weights must be given for masks of kind sam3.')
    what = 'SAM 3'
    folder = model_folder(source, what, placement)
    with reading(source, what, placement):
        kind = read_json(folder / 'config.json').get('model_type')
    if kind not in MODEL_TYPES:
        raise WeightsMismatchError(
            f'{source} holds a model of type {kind}, but a SAM 3 was asked for'
            f' (model_type {", ".join(MODEL_TYPES)}).'
        )
    normalisation = image_normalisation(folder, _HALF, _HALF)
    tokenizer = _load_tokenizer(folder, source, placement)
    model = load_pretrained(Sam3Model, folder, what, 'sdpa', _rehearse, placement)
    model.requires_grad_(False).eval().to(placement.device)
    # Not the buffers: they hold positions, which half precision would shift.
    for parameter in model.vision_encoder.backbone.parameters():
        parameter.data = parameter.data.to(placement.encoder_dtype)
    return Sam3Proposer(model, tokenizer, normalisation)


def _load_tokenizer(
    folder: Path, source: str | Path, placement: Placement
) -> PreTrainedTokenizerBase:
    what = 'tokenizer of SAM 3'
    with reading(source, what, placement):
        if not any((folder / name).is_file() for name in TOKENIZER_FILES):
            raise OSError(f'it has none of {", ".join(TOKENIZER_FILES)}')
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        if tokenizer.pad_token_id is None:
            raise ValueError('it lacks a token of padding')
    return tokenizer


def _rehearse(model: Any) -> None:
    """Find a phrase in an image, as Sam3Proposer does, up to where numbers are looked into."""
    side = _side(model)
    vision = model.get_vision_features(torch.zeros(1, 3, side, side))
    ids = torch.zeros(1, _most_tokens(model), dtype=torch.int64)
    model.detr_encoder(
        vision_features=[vision.fpn_hidden_states[-2]],
        text_features=model.get_text_features(input_ids=ids).pooler_output,
        vision_pos_embeds=[vision.fpn_position_encoding[-2]],
    )


def _side(model: Any) -> int:
    """Return the side of the model's input in pixels."""
    return int(model.config.vision_config.image_size)


def _most_tokens(model: Any) -> int:
    return int(model.config.text_config.max_position_embeddings)
