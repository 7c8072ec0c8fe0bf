"""CLIP (Radford et al., ICML 2021) by transformers' own classes: features of images and texts.

An image is described as a whole, or as what a mask leaves of its patch tokens in the last blocks
(Yu, Seo, Son, CVPR 2023, section 3.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, CLIPModel, PreTrainedTokenizerBase

from iterprime_ros.errors import WeightsMismatchError
from iterprime_ros.hub import TOKENIZER_FILES
from iterprime_ros.pretrained import load_pretrained, read_json
from iterprime_ros.weights import ON_CPU, Placement, check_finite, model_folder, reading

MASKED_BLOCKS = 3  # of the 12 of ViT-B/32: masking_block=9 in their Our_method_with_free_solo.py
_AT_ONCE = 32  # images, masks or texts in one batch
_LARGEST_ID = 2  # eos_token_id of the first configurations, which stands for the largest token


@dataclass(frozen=True)
class Clip:
    """A CLIP on its device, float32, with the tokenizer of its texts.

    model: a CLIPModel.
    tokenizer: that pads at the right.
    """

    model: Any
    tokenizer: PreTrainedTokenizerBase

    @property
    def side(self) -> int:
        """Pixels along each side of an input image."""
        return int(self.model.config.vision_config.image_size)

    @property
    def grid(self) -> int:
        """Patches along each side of an input image."""
        return self.side // int(self.model.config.vision_config.patch_size)

    @property
    def device(self) -> torch.device:
        """The device of the model."""
        return self.model.logit_scale.device

    @property
    def scale(self) -> float:
        """What a cosine is multiplied by for the logit of a match."""
        return float(self.model.logit_scale.exp())


def load_clip(source: str | Path, placement: Placement = ON_CPU) -> Clip:
    """Return the CLIP in a local folder, or of an id on the hub, with its tokenizer.

    Raises WeightsNotFoundError and WeightsMismatchError.
    """
    what = 'CLIP model'
    folder = model_folder(source, what, placement)
    with reading(source, what, placement):
        kind = read_json(folder / 'config.json').get('model_type', 'clip')
        if kind != 'clip':
            raise WeightsMismatchError(f'{source} holds a "{kind}" model and not a {what}.')
        if not any((folder / name).is_file() for name in TOKENIZER_FILES):
            raise OSError(f'it has none of {", ".join(TOKENIZER_FILES)}')
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )

    def rehearse(outline: Any) -> None:
        _check_tokenizer(tokenizer, outline.config.text_config)
        clip = Clip(outline, tokenizer)
        pixels = torch.zeros(1, 3, clip.side, clip.side)
        image_features(clip, pixels)
        masked_features(clip, pixels, torch.zeros(1, clip.grid, clip.grid))
        _encoded_texts(clip, torch.zeros(1, 2, dtype=torch.int64))

    model = load_pretrained(CLIPModel, folder, what, 'sdpa', rehearse, placement)
    return Clip(model.eval().requires_grad_(False).to(placement.device), tokenizer)


def image_features(clip: Clip, pixels: Tensor) -> Tensor:
    """Return the feature (N, D) float32 of each image.

    pixels: (N, 3, S, S) float32, normalised, S being clip.side; N may be 0.

    Raises WeightsMismatchError where weights are damaged.
    """
    model = clip.model
    pooled = [model.vision_model(each).pooler_output for each in _parts(pixels)]
    return _joined(clip, [model.visual_projection(each) for each in pooled])


def masked_features(clip: Clip, pixels: Tensor, weights: Tensor) -> Tensor:
    """Return the feature (N, D) float32 of one image for each mask.

    pixels: (1, 3, S, S) float32, normalised, S being clip.side.
    weights: (N, G, G) float32, the mask on the patches, G being clip.grid; N may be 0.

    Before each of the last MASKED_BLOCKS blocks the tokens of the patches are multiplied by their
    weights, and [CLS] is left as it is. The blocks before these run once for all masks.

    Raises WeightsMismatchError where weights are damaged.
    """
    vision = clip.model.vision_model
    blocks = list(vision.encoder.layers)
    shared = vision.pre_layrnorm(vision.embeddings(pixels))
    for block in blocks[:-MASKED_BLOCKS]:
        shared = block(shared, None)
    parts = []
    for each in _parts(weights.flatten(1)):
        factors = torch.cat([torch.ones_like(each[:, :1]), each], dim=1)[:, :, None]
        tokens = shared.expand(len(each), -1, -1)
        for block in blocks[-MASKED_BLOCKS:]:
            tokens = block(tokens * factors, None)
        parts.append(clip.model.visual_projection(vision.post_layernorm(tokens[:, 0])))
    return _joined(clip, parts)


def text_features(clip: Clip, texts: Sequence[str]) -> Tensor:
    """Return the feature (N, D) float32 of each text; N may be 0.

    The end of a text of too many tokens is cut off.

    Raises WeightsMismatchError where weights are damaged.
    """
    longest = clip.model.config.text_config.max_position_embeddings
    parts = []
    for start in range(0, len(texts), _AT_ONCE):
        batch = list(texts[start : start + _AT_ONCE])
        tokens = clip.tokenizer(
            batch, padding=True, truncation=True, max_length=longest, return_tensors='pt'
        )
        parts.append(_encoded_texts(clip, tokens['input_ids'].to(clip.device)))
    return _joined(clip, parts)


def _encoded_texts(clip: Clip, ids: Tensor) -> Tensor:
    # Attention is causal and the padding comes last: it needs no mask.
    return clip.model.text_projection(clip.model.text_model(ids).pooler_output)


def _parts(values: Tensor) -> tuple[Tensor, ...]:
    return values.split(_AT_ONCE) if len(values) else ()


def _joined(clip: Clip, parts: Sequence[Tensor]) -> Tensor:
    if not parts:
        return torch.zeros(0, clip.model.config.projection_dim, device=clip.device)
    features = torch.cat(list(parts))
    if features.device.type != 'meta':  # of a rehearsal
        check_finite('CLIP', features)
    return features


def _check_tokenizer(tokenizer: PreTrainedTokenizerBase, settings: Any) -> None:
    """Raise ValueError for a tokenizer that does not fit the configuration of a text encoder."""
    if len(tokenizer) > settings.vocab_size:
        raise ValueError(
            f'its tokenizer has {len(tokenizer)} tokens, its model {settings.vocab_size}'
        )
    end = len(tokenizer) - 1 if settings.eos_token_id == _LARGEST_ID else settings.eos_token_id
    if tokenizer.eos_token_id != end or tokenizer.pad_token_id is None:
        raise ValueError('its tokenizer does not end texts as its model expects, or pads none')
    if tokenizer.padding_side != 'right':
        raise ValueError('its tokenizer pads texts at the left')
