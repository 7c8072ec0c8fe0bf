"""BLIP of LAVIS at full size with random weights, as LAVIS's own code builds it."""

import warnings

import torch

from iterprime_ros.torchvision_import import mend_torchvision

torch.set_num_threads(1)
mend_torchvision()
with warnings.catch_warnings():
    warnings.simplefilter('ignore', FutureWarning)  # of PyTorch, about fairscale
    from lavis.models.blip_models.blip_image_text_matching import BlipITM
    from lavis.models.med import XBertEncoder
    from lavis.models.vit import VisionTransformerEncoder

SIZES = {
    'base': {'vit_type': 'base', 'med_config_path': 'configs/models/med_config.json'},
    'large': {'vit_type': 'large', 'med_config_path': 'configs/models/med_large_config.json'},
}
LETTERS = 'abcdefghijklmnopqrstuvwxyz'
WORDS = (
    *('there', 'is', 'the', 'red', 'blue', 'mug', 'ball', 'left', 'of', 'right', 'bottle', 'um'),
    *('##brel', '##la', 'hold', '##ing', '2', '##nd', 'cafe', '中', ',', '.', '-', '[', ']', 'sep'),
    *(*LETTERS, *(f'##{letter}' for letter in LETTERS)),
)


def write_vocabulary(folder, count=30522):
    """Write a vocab.txt laid out as that of bert-base-uncased, which has 30522 pieces."""
    folder.mkdir(parents=True, exist_ok=True)
    special = {0: '[PAD]', 100: '[UNK]', 101: '[CLS]', 102: '[SEP]', 103: '[MASK]'}
    words = dict(enumerate(WORDS, start=1996))
    lines = [special.get(k) or words.get(k) or f'[unused{k}]' for k in range(count)]
    (folder / 'vocab.txt').write_text('\n'.join(lines) + '\n', encoding='utf-8')


@torch.no_grad()
def shaken(model):
    """As initialised, attention is all but even and gradients vanish: nothing would be tested."""
    for layer in model.text_encoder.encoder.layer:
        if hasattr(layer, 'crossattention'):
            cross = layer.crossattention.self
            cross.query.weight *= 3
            cross.key.weight *= 3
            cross.value.weight *= 4
    model.itm_head.weight.normal_(std=0.1)
    return model


def build(size):
    """Return a BlipITM; the working directory has the folder bert-base-uncased."""
    torch.manual_seed(0)
    settings = {**SIZES[size], 'image_size': 384}
    model = BlipITM(
        image_encoder=VisionTransformerEncoder.from_config(settings),
        text_encoder=XBertEncoder.from_config(settings),
        embed_dim=256,
        max_txt_len=35,
    ).eval()
    return shaken(model)
