"""ALBEF against its architecture written out from the checkpoint's names, and its checkpoint."""

import math

import pytest
import torch
from torch.nn import functional

from helpers.tiny_blip import WORDS, tiny_tokenizer
from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.grounding.albef import AlbefShape, load_albef
from iterprime_ros.grounding.region_match import region_logits
from iterprime_ros.weights import Placement

SMALL = AlbefShape(
    image_size=32,
    patch_size=8,
    width=24,
    heads=3,
    blocks=4,
    first_fusion_block=2,
    vocabulary=5 + len(WORDS),
    max_tokens=24,
)


def checkpoint(shape, scale=0.3, dtype=torch.float64):
    """Random tensors under the names of the authors' ALBEF.pth, with what it has besides."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}

    def add(name, *size):
        tensors[name] = (torch.randn(size, generator=generator) * scale).to(dtype)

    def linear(name, outputs, inputs):
        add(f'{name}.weight', outputs, inputs)
        add(f'{name}.bias', outputs)

    def norm(name):
        tensors[f'{name}.weight'] = torch.ones(shape.width, dtype=dtype)
        add(f'{name}.bias', shape.width)

    width, patches = shape.width, (shape.image_size // shape.patch_size) ** 2
    add('visual_encoder.cls_token', 1, 1, width)
    add('visual_encoder.pos_embed', 1, patches + 1, width)
    add('visual_encoder.patch_embed.proj.weight', width, 3, shape.patch_size, shape.patch_size)
    add('visual_encoder.patch_embed.proj.bias', width)
    for k in range(shape.blocks):
        block = f'visual_encoder.blocks.{k}'
        norm(f'{block}.norm1')
        norm(f'{block}.norm2')
        linear(f'{block}.attn.qkv', 3 * width, width)
        linear(f'{block}.attn.proj', width, width)
        linear(f'{block}.mlp.fc1', 4 * width, width)
        linear(f'{block}.mlp.fc2', width, 4 * width)
    norm('visual_encoder.norm')
    bert = 'text_encoder.bert'
    add(f'{bert}.embeddings.word_embeddings.weight', shape.vocabulary, width)
    add(f'{bert}.embeddings.position_embeddings.weight', shape.max_tokens, width)
    add(f'{bert}.embeddings.token_type_embeddings.weight', 2, width)
    tensors[f'{bert}.embeddings.position_ids'] = torch.arange(shape.max_tokens)[None]
    norm(f'{bert}.embeddings.LayerNorm')
    for k in range(shape.blocks):
        layer = f'{bert}.encoder.layer.{k}'
        for kind in ('attention', 'crossattention'):
            if kind == 'crossattention' and k < shape.first_fusion_block:
                continue
            for part in ('query', 'key', 'value'):
                linear(f'{layer}.{kind}.self.{part}', width, width)
            linear(f'{layer}.{kind}.output.dense', width, width)
            norm(f'{layer}.{kind}.output.LayerNorm')
        linear(f'{layer}.intermediate.dense', 4 * width, width)
        linear(f'{layer}.output.dense', width, 4 * width)
        norm(f'{layer}.output.LayerNorm')
    linear('itm_head', 2, width)
    tensors['temp'] = torch.tensor(0.07)
    add('vision_proj.weight', 8, width)
    add('image_queue', 8, 16)
    add('text_encoder.cls.predictions.bias', shape.vocabulary)
    add('visual_encoder_m.cls_token', 1, 1, width)
    add('text_encoder_m.bert.embeddings.word_embeddings.weight', shape.vocabulary, width)
    return tensors


class Written:
    """The forward pass, from the tensors and the paper alone."""

    def __init__(self, tensors, shape):
        self.tensors, self.shape = tensors, shape

    def linear(self, states, name):
        return functional.linear(
            states, self.tensors[f'{name}.weight'], self.tensors[f'{name}.bias']
        )

    def norm(self, states, name, epsilon):
        weight, bias = self.tensors[f'{name}.weight'], self.tensors[f'{name}.bias']
        return functional.layer_norm(states, weight.shape, weight, bias, epsilon)

    def attend(self, queries, keys, values, bias=0.0):
        heads = self.shape.heads
        queries, keys, values = (
            each.view(len(each), heads, -1).transpose(0, 1) for each in (queries, keys, values)
        )
        scores = queries @ keys.transpose(1, 2) / math.sqrt(queries.shape[-1]) + bias
        attention = scores.softmax(-1)
        if attention.requires_grad:
            attention.retain_grad()
        return attention, (attention @ values).transpose(0, 1).flatten(1)

    def image(self, pixels):
        tensors, patch = self.tensors, self.shape.patch_size
        weight, bias = (tensors[f'visual_encoder.patch_embed.proj.{k}'] for k in ('weight', 'bias'))
        states = functional.conv2d(pixels, weight, bias, stride=patch)[0].flatten(1).T
        states = torch.cat([tensors['visual_encoder.cls_token'][0], states])
        states = states + tensors['visual_encoder.pos_embed'][0]
        for k in range(self.shape.blocks):
            block = f'visual_encoder.blocks.{k}'
            mixed = self.linear(self.norm(states, f'{block}.norm1', 1e-6), f'{block}.attn.qkv')
            _, context = self.attend(*mixed.chunk(3, dim=1))
            states = states + self.linear(context, f'{block}.attn.proj')
            inner = self.linear(self.norm(states, f'{block}.norm2', 1e-6), f'{block}.mlp.fc1')
            states = states + self.linear(functional.gelu(inner), f'{block}.mlp.fc2')
        return self.norm(states, 'visual_encoder.norm', 1e-6)

    def match(self, pixels, ids, block, seen):
        """Return A and dz/dA (H, T, N) of a fusion block, and both logits."""
        image, tensors = self.image(pixels), self.tensors
        bert = 'text_encoder.bert'
        hidden = (
            tensors[f'{bert}.embeddings.word_embeddings.weight'][ids]
            + tensors[f'{bert}.embeddings.position_embeddings.weight'][: len(ids)]
            + tensors[f'{bert}.embeddings.token_type_embeddings.weight'][0]
        )
        hidden = self.norm(hidden, f'{bert}.embeddings.LayerNorm', 1e-12)
        bias = torch.zeros(1 + len(seen), dtype=image.dtype)
        bias[1:][~seen] = -torch.inf
        kept = None
        for k in range(self.shape.blocks):
            layer = f'{bert}.encoder.layer.{k}'
            hidden, _ = self.fuse(hidden, hidden, f'{layer}.attention')
            if k >= self.shape.first_fusion_block:
                hidden, attention = self.fuse(hidden, image, f'{layer}.crossattention', bias)
                kept = attention if k == block else kept
            inner = functional.gelu(self.linear(hidden, f'{layer}.intermediate.dense'))
            inner = self.linear(inner, f'{layer}.output.dense')
            hidden = self.norm(hidden + inner, f'{layer}.output.LayerNorm', 1e-12)
        logits = self.linear(hidden[0], 'itm_head')
        (gradient,) = torch.autograd.grad(logits[1], kept)
        return kept[..., 1:], gradient[..., 1:], logits

    def fuse(self, hidden, told, name, bias=0.0):
        queries = self.linear(hidden, f'{name}.self.query')
        keys, values = (self.linear(told, f'{name}.self.{part}') for part in ('key', 'value'))
        attention, context = self.attend(queries, keys, values, bias)
        context = self.linear(context, f'{name}.output.dense')
        return self.norm(hidden + context, f'{name}.output.LayerNorm', 1e-12), attention


@pytest.fixture(scope='module')
def tensors():
    return checkpoint(SMALL)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bert')
    tiny_tokenizer(WORDS).save_pretrained(folder)
    return folder


def saved(tmp_path, tensors):
    path = tmp_path / 'ALBEF.pth'
    torch.save({'model': tensors}, path)
    return path


@pytest.fixture
def loaded(tmp_path, tensors, folder):
    """The matcher of the checkpoint, in double precision."""
    torch.set_default_dtype(torch.float64)
    try:
        return load_albef(
            saved(tmp_path, tensors), folder, Placement(encoder_dtype=torch.float64), SMALL
        )
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize('block', [2, 3])
def test_it_is_the_architecture_of_the_checkpoint(loaded, tensors, image, block):
    matcher = loaded
    assert matcher.fusion_blocks == range(2, 4)
    assert matcher.grid == (4, 4)
    text = matcher.encode_text(['there is a red umbrella'])
    words = ['', 'there', 'is', 'a', 'red', 'um', 'brel', 'la']  # and no [SEP]
    assert ['there is a red umbrella'[slice(*span)] for span in text.offsets[0]] == words
    seen = torch.ones(16, dtype=torch.bool)
    seen[[3, 8]] = False
    attended = matcher.attend(matcher.encode_image(image), text, seen[None], block)

    written = Written(
        {k: v.clone().requires_grad_(v.is_floating_point()) for k, v in tensors.items()}, SMALL
    )
    ids = [2, *matcher.tokenizer('there is a red umbrella', add_special_tokens=False)['input_ids']]
    attention, gradient, logits = written.match(matcher.pixels(image).double(), ids, block, seen)
    assert torch.allclose(attended.attention[0], attention, atol=1e-9)
    assert torch.allclose(attended.gradient[0], gradient, atol=1e-9)
    assert attended.probability.item() == pytest.approx(logits.softmax(-1)[1].item(), abs=1e-9)


def test_regions_are_matched_as_the_architecture_does(loaded, tensors, image):
    texts = ['mug', 'there is a red umbrella', 'blue ball']
    regions = torch.zeros(3, 16, dtype=torch.bool)
    regions[0, 5] = regions[1, :6] = regions[2, 1:] = True
    found = region_logits(loaded, loaded.encode_image(image), texts, regions)
    written = Written(
        {k: v.clone().requires_grad_(v.is_floating_point()) for k, v in tensors.items()}, SMALL
    )
    pixels = loaded.pixels(image).double()
    for row, text in enumerate(texts):
        ids = [2, *loaded.tokenizer(text, add_special_tokens=False)['input_ids']]

        def odds(seen, ids=ids):
            against, match = written.match(pixels, ids, 2, seen)[2].tolist()
            return match - against

        assert found.whole[row].item() == pytest.approx(odds(~regions.new_zeros(16)), abs=1e-9)
        assert found.only[row].tolist() == pytest.approx([odds(r) for r in regions], abs=1e-9)
        assert found.without[row].tolist() == pytest.approx([odds(~r) for r in regions], abs=1e-9)


def test_the_authors_checkpoint_at_full_size(tmp_path, folder):
    """ALBEF.pth as it is laid out, full size, random; loaded back with nothing fetched."""
    shape = AlbefShape()
    path = saved(tmp_path, checkpoint(shape, 0.02, torch.float32))
    matcher = load_albef(path, folder, Placement(local_files_only=True))
    assert matcher.fusion_blocks == range(6, 12)
    assert matcher.grid == (16, 16)
    memory = matcher.encode_image(torch.zeros(3, 48, 64, dtype=torch.uint8))
    assert [keys.shape for keys, _ in memory] == [(12, 257, 64)] * 6


def test_what_is_missing_is_named(tmp_path, tensors, folder):
    kept = {k: v for k, v in tensors.items() if 'itm_head' not in k and 'blocks.1.attn' not in k}
    with pytest.raises(WeightsMismatchError, match=r'6 missing: head\.bias, head\.weight, vision'):
        load_albef(saved(tmp_path, kept), folder, shape=SMALL)


def test_another_size_is_named(tmp_path, tensors, folder):
    with pytest.raises(WeightsMismatchError, match=r'1 of another shape: head\.weight'):
        load_albef(
            saved(tmp_path, {**tensors, 'itm_head.weight': torch.zeros(3, 24)}), folder, shape=SMALL
        )


def test_no_file_and_wrong_files_are_one_sentence(tmp_path, folder):
    with pytest.raises(WeightsNotFoundError, match=r'ALBEF\.pth'):
        load_albef(tmp_path / 'ALBEF.pth', folder)
    (tmp_path / 'text.pth').write_text('hello')
    with pytest.raises(WeightsMismatchError, match='not a checkpoint that PyTorch can read'):
        load_albef(tmp_path / 'text.pth', folder)
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(WeightsMismatchError, match='"model"'):
        load_albef(tmp_path / 'list.pth', folder)
