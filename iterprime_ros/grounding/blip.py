"""BLIP (Li et al., ICML 2022) image-text matching by transformers' own classes."""

from pathlib import Path
from typing import Any

import torch
from transformers import BlipConfig, BlipForImageTextRetrieval, PreTrainedTokenizerBase

from iterprime_ros.conv_stem import stem_of
from iterprime_ros.errors import WeightsMismatchError
from iterprime_ros.grounding.fusion import FusionMatcher, Pixels
from iterprime_ros.grounding.thin_linear import use_thin_linear
from iterprime_ros.pretrained import load_pretrained, load_tokenizer, read_json
from iterprime_ros.weights import ON_CPU, Placement, model_folder, reading


class BlipWithStem(BlipForImageTextRetrieval):
    """A BlipForImageTextRetrieval whose patches may come from a ConvStem.

    It has one where `vision_config` has a `patch_stem`, the arguments of ConvStem.

    Raises ValueError for a `patch_stem` that describes no stem of this model.
    """

    def __init__(self, config: BlipConfig) -> None:
        super().__init__(config)
        stem: Any = stem_of(config.vision_config)
        if stem is not None:
            self.vision_model.embeddings.patch_embedding = stem


def load_blip(
    source: str | Path,
    tokenizer: str | Path | None = None,
    placement: Placement = ON_CPU,
) -> FusionMatcher:
    """Return the matcher of a BlipForImageTextRetrieval, or of a BlipWithStem.

    source: a local folder or an id on the hub; its config.json says whether there is a stem.
    tokenizer: the same; by default the tokenizer beside the weights.

    Raises WeightsNotFoundError and WeightsMismatchError.
    """
    what = 'BLIP image-text-matching model'
    folder = model_folder(source, what, placement)
    with reading(source, what, placement):
        kind = read_json(folder / 'config.json').get('model_type', 'blip')
    if kind != 'blip':
        raise WeightsMismatchError(f'{source} holds a "{kind}" model and not a {what}.')
    words = load_tokenizer(tokenizer or source, placement)
    model = load_pretrained(
        BlipWithStem,
        folder,
        what,
        'eager',
        lambda outline: blip_matcher(outline, words, 'meta').rehearse(),
        placement,
    )
    return blip_matcher(model, words, placement.device, placement.encoder_dtype)


def blip_matcher(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    device: torch.device | str = 'cpu',
    encoder_dtype: torch.dtype = torch.float32,
) -> FusionMatcher:
    """Return the matcher of a BlipForImageTextRetrieval, which is put on the device and frozen."""
    model = model.eval().requires_grad_(False).to(device)
    text = model.text_encoder
    use_thin_linear(text.encoder)
    return FusionMatcher(
        vision=model.vision_model.to(encoder_dtype),
        pixels=Pixels(model.config.vision_config.image_size),
        embeddings=text.embeddings,
        layers=text.encoder.layer,
        head=model.itm_head,
        tokenizer=tokenizer,
        max_tokens=model.config.text_config.max_position_embeddings,
        ends_with_sep=True,
    )
