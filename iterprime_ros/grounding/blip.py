"""BLIP (Li et al., ICML 2022) image-text matching by transformers' own classes."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, BlipForImageTextRetrieval, PreTrainedTokenizerBase

from iterprime_ros.errors import WeightsMismatchError
from iterprime_ros.grounding.fusion import FusionMatcher, Pixels
from iterprime_ros.weights import config_of, found, require_exact


def load_blip(
    source: str | Path,
    device: torch.device | str = 'cpu',
    encoder_dtype: torch.dtype = torch.float32,
    local_files_only: bool = False,
) -> FusionMatcher:
    """Return the matcher of a BlipForImageTextRetrieval: a local folder or an id on the hub.

    encoder_dtype: of the image encoder; the rest is float32. local_files_only: never ask the hub.
    Raises WeightsNotFoundError and WeightsMismatchError.
    """
    what = 'BLIP image-text-matching model'
    kind = config_of(source).get('model_type', 'blip')
    if kind != 'blip':
        raise WeightsMismatchError(f'{source} holds a "{kind}" model and not a {what}.')
    loaded: Any = found(
        lambda local: BlipForImageTextRetrieval.from_pretrained(
            source, local_files_only=local, output_loading_info=True, dtype=torch.float32
        ),
        source,
        what,
        local_files_only,
    )
    model, report = loaded
    require_exact(source, f'a {what}', report['missing_keys'])
    tokenizer = found(
        lambda local: AutoTokenizer.from_pretrained(source, local_files_only=local),
        source,
        'tokenizer',
        local_files_only,
    )
    return blip_matcher(model, tokenizer, device, encoder_dtype)


def blip_matcher(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    device: torch.device | str = 'cpu',
    encoder_dtype: torch.dtype = torch.float32,
) -> FusionMatcher:
    """Return the matcher of a BlipForImageTextRetrieval, which is put on the device and frozen."""
    model = model.eval().requires_grad_(False).to(device)
    text = model.text_encoder
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
