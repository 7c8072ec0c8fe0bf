"""Small video models with random weights, with every part of the large ones, in files' format."""

import json

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VideoModel, Sam2VisionConfig

from iterprime_ros.tracking.edgetam import EdgeTam, EdgeTamConfig
from iterprime_ros.tracking.video_session import VideoSession

SIDE = 64
_LEVELS = [[16, 16], [8, 8], [4, 4]]
_PARTS = {
    'prompt_encoder_config': {'hidden_size': 128, 'image_size': SIDE, 'mask_input_channels': 4},
    'mask_decoder_config': {
        'hidden_size': 128,
        'num_attention_heads': 2,
        'num_hidden_layers': 1,
        'mlp_dim': 48,
        'iou_head_depth': 2,
        'iou_head_hidden_dim': 32,
    },
    'image_size': SIDE,
    'memory_attention_hidden_size': 128,
    'memory_attention_num_layers': 1,
    'memory_attention_rope_feat_sizes': [4, 4],
    'memory_encoder_hidden_size': 128,
    'mask_downsampler_embed_dim': 128,
    'memory_fuser_embed_dim': 128,
    'memory_fuser_intermediate_dim': 48,
    'memory_fuser_num_layers': 1,
}
# As EdgeTAM is published (convert_edgetam_video_to_hf.py of transformers), but smaller.
_BACKBONE = {
    'model_type': 'timm_wrapper',
    'architecture': 'repvit_m1',
    'model_args': {
        'in_chans': 3,
        'features_only': True,
        'out_indices': [0, 1, 2, 3],
        'embed_dim': [8, 16, 24, 32],
        'depth': [1, 1, 2, 1],
    },
}


def tiny_sam2_video():
    backbone = Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 4],
        window_size_per_stage=[8, 4, 14, 7],
        global_attention_blocks=[3],
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=_LEVELS,
        fpn_hidden_size=128,
    )
    config = Sam2VideoConfig(
        vision_config=vision, memory_attention_feed_forward_hidden_size=48, **_PARTS
    )
    return _shaken(Sam2VideoModel(config))


def tiny_edgetam():
    settings = _PARTS | {
        'vision_config': {
            'model_type': 'edgetam_vision_model',
            'backbone_config': _BACKBONE,
            'backbone_channel_list': [32, 24, 16, 8],
            'backbone_feature_sizes': _LEVELS,
            'fpn_hidden_size': 128,
        },
        'memory_attention_mlp_hidden_size': 48,
        'memory_attention_rope_k_sizes': [2, 2],
        'perceiver_resampler_num_latents': 6,
        'perceiver_resampler_num_latents_2d': 4,
        'perceiver_resampler_mlp_intermediate_size': 24,
        'enable_temporal_pos_encoding_for_object_pointers': False,
        'enable_occlusion_spatial_embedding': False,
    }
    return _shaken(EdgeTam(EdgeTamConfig.from_dict(settings)))


def save_video_model(model, folder):
    """Write a model as it is published: an EdgeTAM's image encoder is one of timm."""
    model.save_pretrained(folder)
    config = json.loads((folder / 'config.json').read_text())
    if isinstance(model, EdgeTam):
        config |= {'model_type': 'edgetam_video', 'architectures': ['EdgeTamVideoModel']}
        config['vision_config']['backbone_config'] = _BACKBONE
    (folder / 'config.json').write_text(json.dumps(config))
    return folder


def copied(folder, target, change=lambda tensors: tensors, **changes):
    """A copy of a folder with changes to its tensors and its config.json."""
    target.mkdir()
    config = json.loads((folder / 'config.json').read_text()) | changes
    (target / 'config.json').write_text(json.dumps(config))
    tensors = change(load_file(folder / 'model.safetensors'))
    save_file(tensors, target / 'model.safetensors', {'format': 'pt'})
    return target


@torch.inference_mode()
def _shaken(model):
    """Let the image, the prompt and the memory have a say, which fresh numbers do not."""
    generator = torch.Generator().manual_seed(2)
    for name, tensor in model.state_dict().items():
        if name.endswith('running_var'):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
        elif tensor.is_floating_point():
            tensor += 0.1 * torch.randn(tensor.shape, generator=generator)
    model.eval()
    # Objects are seen in most frames, and not in all.
    last = model.mask_decoder.pred_obj_score_head.proj_out
    last.weight *= 20
    pictures = 4.4 * torch.rand(16, 1, 3, 5, 7, generator=generator) - 2
    frames = [functional.interpolate(each, (SIDE, SIDE), mode='bicubic') for each in pictures]
    masks = torch.ones(1, SIDE, SIDE, dtype=torch.bool).tril()
    session = VideoSession(model, frames[0], masks)
    scores = torch.cat([session.step(frame)[1] for frame in frames[1:]])
    last.bias -= scores.min()
    return model
