"""Folders in transformers' format that hold something wrong are refused in one sentence."""

import json
import os
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from helpers.tiny_blip import WORDS, tiny_blip, tiny_tokenizer
from helpers.tiny_sams import tiny_sam, tiny_sam2
from iterprime_ros.errors import WeightsMismatchError
from iterprime_ros.grounding.blip import load_blip
from iterprime_ros.masks.sam import load_sam
from iterprime_ros.weights import Placement

OFFLINE = Placement(local_files_only=True)
LOADERS = {
    'blip': lambda folder: load_blip(folder, placement=OFFLINE),
    'sam': lambda folder: load_sam(folder, OFFLINE),
    'sam2': lambda folder: load_sam(folder, OFFLINE),
}
MISSING = object()


@pytest.fixture(scope='module')
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp('originals')
    for name, model in (('blip', tiny_blip()), ('sam', tiny_sam()), ('sam2', tiny_sam2())):
        model.save_pretrained(folder / name)
    tiny_tokenizer(WORDS).save_pretrained(folder / 'blip')
    return folder


@pytest.fixture(params=list(LOADERS))
def name(request):
    return request.param


@pytest.fixture
def copy(originals, tmp_path):
    def make(name):
        return shutil.copytree(originals / name, tmp_path / name)

    return make


def refused(name, folder):
    with pytest.raises(WeightsMismatchError) as caught:
        LOADERS[name](folder)
    assert len(str(caught.value).splitlines()) == 1
    assert str(folder) in str(caught.value)
    return str(caught.value)


def rewritten(folder, change):
    path = folder / 'config.json'
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


ANY = [
    ('dtype', 'float99'),
    ('dtype', []),
    ('model_type', []),
    ('model_type', 'clip'),
    ('quantization_config', {'quant_method': 'bitsandbytes', 'load_in_8bit': True}),
]
BLIP = [
    ('text_config', 'three'),
    ('text_config', MISSING),
    ('text_config.num_attention_heads', 0),
    ('text_config.num_attention_heads', 3),
    ('text_config.num_hidden_layers', 0),
    ('text_config.num_hidden_layers', -3),
    ('text_config.hidden_size', -32),
    ('text_config.hidden_size', '32'),
    ('text_config.intermediate_size', 10**9),
    ('text_config.vocab_size', 0),
    ('text_config.vocab_size', 5),
    ('text_config.max_position_embeddings', 1),
    ('text_config.hidden_act', 'nothing'),
    ('text_config.hidden_dropout_prob', float('nan')),
    ('text_config.is_decoder', False),
    ('vision_config', None),
    ('vision_config.num_attention_heads', -3),
    ('vision_config.image_size', 0),
    ('vision_config.image_size', 4),
    ('vision_config.patch_size', 0),
    ('vision_config.patch_size', '8'),
]
SAM = [
    ('vision_config', 7),
    ('vision_config', MISSING),
    ('vision_config.num_attention_heads', 0),
    ('vision_config.hidden_size', -32),
    ('vision_config.image_size', 'three'),
    ('vision_config.patch_size', 0),
    ('vision_config.window_size', -6),
    ('vision_config.layer_norm_eps', None),
    ('prompt_encoder_config', MISSING),
    ('prompt_encoder_config.image_size', 0),
    ('prompt_encoder_config.image_size', 7),
    ('prompt_encoder_config.image_embedding_size', 'three'),
    ('prompt_encoder_config.image_embedding_size', -3),
    ('prompt_encoder_config.num_point_embeddings', 0),
    ('mask_decoder_config.num_attention_heads', 0),
    ('mask_decoder_config.iou_head_depth', 'three'),
    ('mask_decoder_config.attention_downsample_rate', 0),
]
SAM2 = [
    ('vision_config', []),
    ('vision_config', MISSING),
    ('vision_config.backbone_config', MISSING),
    ('vision_config.backbone_config.blocks_per_stage', []),
    ('vision_config.backbone_config.patch_stride', 0),
    ('vision_config.backbone_config.query_stride', 7),
    ('vision_config.backbone_config.num_attention_heads_per_stage', [0, 0, 0, 0]),
    ('vision_config.backbone_config.id2label', 1.5),
    ('vision_config.backbone_channel_list', []),
    ('vision_config.backbone_feature_sizes', MISSING),
    ('vision_config.fpn_hidden_size', -32),
    ('vision_config.fpn_stride', 0),
    ('vision_config.num_feature_levels', -3),
    ('prompt_encoder_config.image_size', -3),
    ('prompt_encoder_config.patch_size', 7),
    ('mask_decoder_config.num_attention_heads', 7),
]


@pytest.mark.parametrize(
    ('name', 'field', 'value'),
    [
        (name, *case)
        for name, cases in (('blip', BLIP), ('sam', SAM), ('sam2', SAM2))
        for case in (*ANY, *cases)
    ],
)
def test_a_wrong_field_of_config_json_is_one_sentence(copy, name, field, value):
    *sections, last = field.split('.')

    def change(config):
        for each in sections:
            config = config[each]
        if value is MISSING:
            del config[last]
        else:
            config[last] = value

    folder = copy(name)
    rewritten(folder, change)
    refused(name, folder)


@pytest.mark.parametrize('text', ['', '[]', '{"model_type": ', 'null', '[' * 100_000, '\xff'])
def test_a_broken_config_json_is_one_sentence(copy, name, text):
    folder = copy(name)
    (folder / 'config.json').write_bytes(text.encode('latin-1'))
    refused(name, folder)
    (folder / 'config.json').unlink()
    assert 'config.json' in refused(name, folder)


def test_attention_and_code_of_others_are_not_used(copy, name):
    """What config.json names here is not installed, and would have to be downloaded."""
    folder = copy(name)
    (folder / 'own.py').write_text('raise SystemExit("ran")')
    rewritten(
        folder,
        lambda config: config.update(
            _attn_implementation='flash_attention_2',
            attn_implementation='kernels-community/flash-attn',
            auto_map={'AutoModel': 'own.Own', 'AutoConfig': 'own.Config'},
        ),
    )
    LOADERS[name](folder)


def test_code_beside_a_tokenizer_is_not_run(copy):
    folder = copy('blip')
    (folder / 'own.py').write_text('raise SystemExit("ran")')
    path = folder / 'tokenizer_config.json'
    words = json.loads(path.read_text()) | {
        'tokenizer_class': 'Own',
        'auto_map': {'AutoTokenizer': ['own.Own', 'own.Own']},
    }
    path.write_text(json.dumps(words))
    LOADERS['blip'](folder)


@pytest.mark.parametrize('text', ['', '{}', '[]', '{"version": "1.0", "model": {}}'])
def test_a_broken_tokenizer_is_one_sentence(copy, text):
    folder = copy('blip')
    (folder / 'tokenizer.json').write_text(text)
    refused('blip', folder)
    (folder / 'tokenizer.json').unlink()
    assert 'tokenizer.json' in refused('blip', folder)


def test_a_tokenizer_of_another_model_is_one_sentence(copy):
    folder = copy('blip')
    tiny_tokenizer([*WORDS, 'one', 'more']).save_pretrained(folder)
    assert 'the tokenizer has 30 tokens, the model 28' in refused('blip', folder)


def test_weights_in_integers_are_refused(copy, name):
    folder = copy(name)
    path = folder / 'model.safetensors'
    tensors = {key: value.to(torch.int8) for key, value in load_file(path).items()}
    save_file(tensors, path, {'format': 'pt'})
    assert 'of integers, as quantised weights are' in refused(name, folder)


class Harmful:
    """What runs code when it is unpickled without care."""

    def __reduce__(self):
        return os.mkdir, ('unpickled',)


def test_pickled_weights_are_read_as_tensors_alone(copy, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = copy(name)
    safe = folder / 'model.safetensors'
    torch.save(load_file(safe), folder / 'pytorch_model.bin')
    safe.unlink()
    LOADERS[name](folder)
    torch.save({'weight': Harmful()}, folder / 'pytorch_model.bin')
    refused(name, folder)
    (folder / 'pytorch_model.bin').write_bytes(pickle.dumps(Harmful()))
    refused(name, folder)
    assert not (tmp_path / 'unpickled').exists()
