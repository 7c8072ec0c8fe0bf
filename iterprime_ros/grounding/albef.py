"""ALBEF (Li et al., NeurIPS 2021) from the authors' checkpoint.

ViT-B/16 at 256 px, and a BERT of 12 blocks of which 6 to 11 attend to it: the modules are those of
transformers' BLIP, under the checkpoint's names. Text ends without [SEP], as in the authors' code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoTokenizer, BlipTextConfig, BlipVisionConfig
from transformers.models.blip.modeling_blip import BlipVisionModel
from transformers.models.blip.modeling_blip_text import BlipTextEmbeddings, BlipTextLayer

from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.grounding.fusion import FusionMatcher, Pixels
from iterprime_ros.weights import found, require_exact

TOKENIZER = 'bert-base-uncased'
_TYPES = 'embeddings.token_type_embeddings.weight'
_POSITIONS = 'embeddings.position_embeddings.weight'
_NEEDED = re.compile(r'visual_encoder\.|text_encoder\.(bert\.)?(embeddings|encoder)\.|itm_head\.')
_VISION_NAMES = (
    (r'^cls_token$', 'embeddings.class_embedding'),
    (r'^pos_embed$', 'embeddings.position_embedding'),
    (r'^patch_embed\.proj\.', 'embeddings.patch_embedding.'),
    (r'^blocks\.(\d+)\.norm(\d)\.', r'encoder.layers.\1.layer_norm\2.'),
    (r'^blocks\.(\d+)\.attn\.qkv\.', r'encoder.layers.\1.self_attn.qkv.'),
    (r'^blocks\.(\d+)\.attn\.proj\.', r'encoder.layers.\1.self_attn.projection.'),
    (r'^blocks\.', 'encoder.layers.'),
    (r'^norm\.', 'post_layernorm.'),
)


@dataclass(frozen=True)
class AlbefShape:
    """The architecture's numbers; the defaults are those of the authors' ALBEF.pth."""

    image_size: int = 256
    patch_size: int = 16
    width: int = 768
    heads: int = 12
    blocks: int = 12
    first_fusion_block: int = 6
    vocabulary: int = 30522
    max_tokens: int = 512


class AlbefModules(nn.Module):
    """What the matcher needs of ALBEF, as modules."""

    def __init__(self, shape: AlbefShape) -> None:
        super().__init__()
        self.vision: Any = BlipVisionModel(
            BlipVisionConfig(
                hidden_size=shape.width,
                intermediate_size=4 * shape.width,
                num_hidden_layers=shape.blocks,
                num_attention_heads=shape.heads,
                image_size=shape.image_size,
                patch_size=shape.patch_size,
                layer_norm_eps=1e-6,
            )
        )
        plain, fusion = (
            BlipTextConfig(
                vocab_size=shape.vocabulary,
                hidden_size=shape.width,
                encoder_hidden_size=shape.width,
                intermediate_size=4 * shape.width,
                num_attention_heads=shape.heads,
                max_position_embeddings=shape.max_tokens,
                layer_norm_eps=1e-12,
                pad_token_id=0,
                is_decoder=attends,
            )
            for attends in (False, True)
        )
        self.embeddings = BlipTextEmbeddings(plain)
        self.layers = nn.ModuleList(
            BlipTextLayer(fusion if block >= shape.first_fusion_block else plain, block)
            for block in range(shape.blocks)
        )
        self.head = nn.Linear(shape.width, 2)


def load_albef(
    checkpoint: str | Path,
    tokenizer: str | Path = TOKENIZER,
    device: torch.device | str = 'cpu',
    encoder_dtype: torch.dtype = torch.float32,
    local_files_only: bool = False,
    shape: AlbefShape = AlbefShape(),
) -> FusionMatcher:
    """Return the matcher of the authors' checkpoint, `{"model": {name: tensor}}`.

    tokenizer: a folder with BERT's vocabulary, or its id on the hub. encoder_dtype: of the image
    encoder; the rest is float32. Momentum copies, queues, projections and the language model's head
    are left aside; everything else must be there, and fit.

    Raises WeightsNotFoundError and WeightsMismatchError.
    """
    path = Path(checkpoint)
    if not path.is_file():
        raise WeightsNotFoundError(
            f"No ALBEF checkpoint at {path}: get ALBEF.pth, the authors' pre-trained model "
            '(14M images), and put it there or name its place in the profile.'
        )
    modules = AlbefModules(shape)
    _load(modules, _tensors(path), path)
    modules = modules.eval().requires_grad_(False).to(device)
    words = found(
        lambda local: AutoTokenizer.from_pretrained(tokenizer, local_files_only=local),
        tokenizer,
        'tokenizer',
        local_files_only,
    )
    return FusionMatcher(
        vision=modules.vision.to(dtype=encoder_dtype),
        pixels=Pixels(shape.image_size),
        embeddings=modules.embeddings,
        layers=list(modules.layers),
        head=modules.head,
        tokenizer=words,
        max_tokens=shape.max_tokens,
        ends_with_sep=False,
    )


def _tensors(path: Path) -> Mapping[str, Tensor]:
    try:
        holder = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    except Exception as error:  # torch.load raises whatever its parts raise on a wrong file
        raise WeightsMismatchError(
            f'{path} is not a PyTorch checkpoint that can be read.'
        ) from error
    tensors = holder.get('model') if isinstance(holder, dict) else None
    if not isinstance(tensors, dict):
        raise WeightsMismatchError(f'{path} has no "model" in it, as ALBEF.pth has.')
    return {name: tensor for name, tensor in tensors.items() if _NEEDED.match(name)}


def _load(modules: AlbefModules, tensors: Mapping[str, Tensor], path: Path) -> None:
    renamed = {_module_name(name): tensor for name, tensor in tensors.items()}
    renamed.pop('embeddings.position_ids', None)
    # Every token is of type 0: its embedding can as well stand in every position's.
    expected = modules.state_dict()
    needed = {*expected, _TYPES}
    require_exact(path, 'ALBEF', needed - renamed.keys(), renamed.keys() - needed)
    types = renamed.pop(_TYPES)
    wrong = [
        f'{name} is {tuple(renamed[name].shape)} and not {tuple(tensor.shape)}'
        for name, tensor in expected.items()
        if renamed[name].shape != tensor.shape
    ]
    if wrong:
        raise WeightsMismatchError(f'{path} is not an ALBEF of this size: {wrong[0]}.')
    renamed[_POSITIONS] = renamed[_POSITIONS] + types[0]
    modules.load_state_dict(renamed)


def _module_name(name: str) -> str:
    """Return the name in AlbefModules of a tensor of the checkpoint."""
    if name.startswith('visual_encoder.'):
        name = name.removeprefix('visual_encoder.')
        for pattern, replacement in _VISION_NAMES:
            name, changed = re.subn(pattern, replacement, name)
            if changed:
                break
        return f'vision.{name}'
    if name.startswith('itm_head.'):
        return name.replace('itm_head.', 'head.')
    name = re.sub(r'^text_encoder\.(bert\.)?', '', name)
    return name.replace('encoder.layer.', 'layers.')
