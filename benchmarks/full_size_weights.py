"""Random weights of full size, in the formats of the published ones."""

import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from grounding import tokenizer

CHECKPOINT = 'ALBEF.pth'


def write_albef(folder: Path) -> None:
    """Write ALBEF.pth as its authors lay it out, with a tokenizer beside it."""
    from iterprime_ros.grounding.albef import AlbefModules, AlbefShape

    shape = AlbefShape()
    names = (
        (r'^vision\.embeddings\.class_embedding$', 'visual_encoder.cls_token'),
        (r'^vision\.embeddings\.position_embedding$', 'visual_encoder.pos_embed'),
        (r'^vision\.embeddings\.patch_embedding\.', 'visual_encoder.patch_embed.proj.'),
        (r'^vision\.post_layernorm\.', 'visual_encoder.norm.'),
        (r'^vision\.encoder\.layers\.(\d+)\.layer_norm', r'visual_encoder.blocks.\1.norm'),
        (
            r'^vision\.encoder\.layers\.(\d+)\.self_attn\.projection',
            r'visual_encoder.blocks.\1.attn.proj',
        ),
        (r'^vision\.encoder\.layers\.(\d+)\.self_attn', r'visual_encoder.blocks.\1.attn'),
        (r'^vision\.encoder\.layers\.', 'visual_encoder.blocks.'),
        (r'^layers\.', 'text_encoder.bert.encoder.layer.'),
        (r'^embeddings\.', 'text_encoder.bert.embeddings.'),
        (r'^head\.', 'itm_head.'),
    )
    types = 'text_encoder.bert.embeddings.token_type_embeddings.weight'
    tensors = {types: 0.02 * torch.randn(2, shape.width)}
    for name, tensor in AlbefModules(shape).state_dict().items():
        written = next(re.sub(*each, name) for each in names if re.search(each[0], name))
        # As BERT is initialised: a norm has one dimension, a weight two or more.
        tensors[written] = 0.02 * torch.randn(tensor.shape) if tensor.ndim > 1 else tensor
    torch.save({'model': tensors}, folder / CHECKPOINT)
    tokenizer().save_pretrained(folder)


def write_blip(folder: Path) -> None:
    """Write a folder like Salesforce/blip-itm-large-coco."""
    from transformers import BlipConfig, BlipForImageTextRetrieval

    text = {'encoder_hidden_size': 1024, 'vocab_size': 30524, 'num_attention_heads': 12}
    vision = {
        'image_size': 384,
        'hidden_size': 1024,
        'intermediate_size': 4096,
        'num_hidden_layers': 24,
        'num_attention_heads': 16,
    }
    config = BlipConfig(text_config=text, vision_config=vision)
    BlipForImageTextRetrieval(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)


def write_mask2former(folder: Path) -> None:
    """Write a folder like facebook/mask2former-swin-large-coco-panoptic: a PyTorch file alone."""
    from safetensors.torch import load_file
    from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation, SwinConfig

    backbone: dict[str, Any] = {
        'image_size': 384,
        'embed_dim': 192,
        'depths': [2, 2, 18, 2],
        'num_heads': [6, 12, 24, 48],
        'window_size': 12,
        'out_features': ['stage1', 'stage2', 'stage3', 'stage4'],
    }
    sizes: dict[str, Any] = {'num_queries': 200, 'num_labels': 133}
    config = Mask2FormerConfig(backbone_config=SwinConfig(**backbone), **sizes)
    Mask2FormerForUniversalSegmentation(config).save_pretrained(folder)
    tensors = folder / 'model.safetensors'
    torch.save(load_file(tensors), folder / 'pytorch_model.bin')
    tensors.unlink()


def write_sam(folder: Path) -> None:
    """Write a folder like facebook/sam-vit-huge."""
    from transformers import SamConfig, SamModel, SamVisionConfig

    vision = SamVisionConfig(
        hidden_size=1280,
        num_hidden_layers=32,
        num_attention_heads=16,
        global_attn_indexes=[7, 15, 23, 31],
    )
    SamModel(SamConfig(vision_config=vision)).save_pretrained(folder)


def write_sam2(folder: Path) -> None:
    """Write a folder like facebook/sam2.1-hiera-large, without what only videos need.

    Sizes: facebookresearch/sam2, sam2/configs/sam2.1/sam2.1_hiera_l.yaml.
    """
    from transformers import Sam2Config, Sam2HieraDetConfig, Sam2Model, Sam2VisionConfig

    widths = [144, 288, 576, 1152]
    backbone = Sam2HieraDetConfig(
        hidden_size=144,
        num_attention_heads=2,
        blocks_per_stage=[2, 6, 36, 4],
        embed_dim_per_stage=widths,
        num_attention_heads_per_stage=[2, 4, 8, 16],
        window_size_per_stage=[8, 4, 16, 8],
        global_attention_blocks=[23, 33, 43],
    )
    vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=widths[::-1])
    Sam2Model(Sam2Config(vision_config=vision)).save_pretrained(folder)


def write_sam3(folder: Path) -> None:
    """Write a folder like facebook/sam3, without what only videos need; its tokenizer spells."""
    from transformers import CLIPTokenizer, Sam3Config
    from transformers.models.sam3.modeling_sam3 import Sam3Model

    Sam3Model(Sam3Config()).save_pretrained(folder)
    letters = string.ascii_lowercase
    words = ['<|startoftext|>', '<|endoftext|>', *letters, *(f'{each}</w>' for each in letters)]
    CLIPTokenizer(vocab={word: k for k, word in enumerate(words)}, merges=[]).save_pretrained(
        folder
    )


@dataclass(frozen=True)
class Model:
    """A model of the table.

    what: in words.
    kind: of matcher or proposer, in backends.
    write: makes its weights in a folder.
    weights: file in that folder; the folder itself by default.
    is_matcher: whether it is a matcher.
    """

    what: str
    kind: str
    write: Callable[[Path], None]
    weights: str = ''
    is_matcher: bool = False


MODELS = {
    'albef': Model('ALBEF, 256 px', 'albef', write_albef, CHECKPOINT, is_matcher=True),
    'blip-large': Model('BLIP-large, 384 px', 'blip', write_blip, is_matcher=True),
    'mask2former': Model('Mask2Former Swin-L, 200 queries', 'mask2former', write_mask2former),
    'sam-vit-huge': Model('SAM ViT-H', 'sam', write_sam),
    'sam2.1-hiera-large': Model('SAM 2.1 Hiera-L', 'sam', write_sam2),
    'sam3': Model('SAM 3', 'sam3', write_sam3),
}
