"""ALBEF (Li et al., NeurIPS 2021) from the authors' checkpoint.

ViT-B/16 at 256 px, and a BERT of 12 blocks of which 6 to 11 attend to it: the modules are those of
transformers' BLIP, under the checkpoint's names. Text ends without [SEP], as in the authors' code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from transformers import BlipTextConfig, BlipVisionConfig
from transformers.models.blip.modeling_blip import BlipVisionModel
from transformers.models.blip.modeling_blip_text import BlipTextEmbeddings, BlipTextLayer

from iterprime_ros.errors import WeightsMismatchError
from iterprime_ros.grounding.fusion import FusionMatcher, Pixels
from iterprime_ros.grounding.thin_linear import use_thin_linear
from iterprime_ros.pretrained import load_tokenizer
from iterprime_ros.weights import ON_CPU, Placement, check_tensors, only_tensors, read_checkpoint

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
    """The sizes of the architecture; the defaults are those of the authors' ALBEF.pth.

    image_size, patch_size: sides, in pixels.
    width: of the states of both encoders.
    heads: of every attention.
    blocks: of each encoder.
    first_fusion_block: the first text block with cross-attention, counted from 0.
    vocabulary: number of word pieces.
    max_tokens: longest text.
    """

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
    tokenizer: str | Path | None = None,
    placement: Placement = ON_CPU,
    shape: AlbefShape = AlbefShape(),
) -> FusionMatcher:
    """Return the matcher of the authors' checkpoint, `{"model": {name: tensor}}`.

    checkpoint: path of ALBEF.pth, the authors' model pre-trained on 14M images.
    tokenizer: a folder with BERT's vocabulary, or its id on the hub; by default TOKENIZER.
    shape: the sizes of the model in the checkpoint.

    Momentum copies, queues, projections and the language model's head are ignored; everything else
    must be there, and fit. Raises WeightsNotFoundError and WeightsMismatchError.
    """
    path = Path(checkpoint)
    tensors = _tensors(path)
    modules = AlbefModules(shape)
    _load(modules, tensors, path)
    modules = modules.eval().requires_grad_(False).to(placement.device)
    use_thin_linear(modules.layers)
    return FusionMatcher(
        vision=modules.vision.to(dtype=placement.encoder_dtype),
        pixels=Pixels(shape.image_size),
        embeddings=modules.embeddings,
        layers=list(modules.layers),
        head=modules.head,
        tokenizer=load_tokenizer(tokenizer or TOKENIZER, placement),
        max_tokens=shape.max_tokens,
        ends_with_sep=False,
    )


def _tensors(path: Path) -> Mapping[str, Tensor]:
    tensors = read_checkpoint(path, 'ALBEF checkpoint (ALBEF.pth)').get('model')
    if not isinstance(tensors, dict):
        raise WeightsMismatchError(f'{path} has no "model" in it, as ALBEF.pth has.')
    return {name: tensor for name, tensor in only_tensors(tensors).items() if _NEEDED.match(name)}


def _load(modules: AlbefModules, tensors: Mapping[str, Tensor], path: Path) -> None:
    renamed = {_module_name(name): tensor for name, tensor in tensors.items()}
    renamed.pop('embeddings.position_ids', None)
    # Every token is of type 0: its embedding can as well stand in every position's.
    expected = modules.state_dict()
    needed = {*expected, _TYPES}
    misshapen = [
        name
        for name, tensor in expected.items()
        if name in renamed and renamed[name].shape != tensor.shape
    ]
    integer = [name for name in renamed.keys() & needed if not renamed[name].is_floating_point()]
    missing, unexpected = needed - renamed.keys(), renamed.keys() - needed
    check_tensors(path, 'ALBEF', missing, unexpected, misshapen, integer)
    types = renamed.pop(_TYPES)
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
