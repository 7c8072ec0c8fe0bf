"""Image-text matching of salesforce-lavis 1.0.2: a model of BLIP or ALBEF, or BLIP's checkpoint.

LAVIS needs a transformers older than 4.27, and so an environment of its own, which `make lavis`
makes. It is imported when a checkpoint is loaded.
"""

import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor, nn

from iterprime_ros.errors import InvalidSettingError, WeightsMismatchError
from iterprime_ros.grounding.fusion import FusionMatcher, Pixels
from iterprime_ros.grounding.thin_linear import use_thin_linear
from iterprime_ros.torchvision_import import mend_torchvision
from iterprime_ros.weights import (
    ON_CPU,
    Placement,
    check_tensors,
    model_folder,
    only_tensors,
    read_checkpoint,
    reading,
)

TOKENIZER = 'bert-base-uncased'
_MAX_TOKENS = 35  # max_txt_len of BlipITM
_LONGEST_WORD = 100  # characters; a longer one is unknown to BertTokenizer
_PATCH = 16  # pixels; and below: lavis/models/vit.py, VisionTransformerEncoder.from_config
_NEEDED = re.compile(r'visual_encoder\.|text_encoder\.(embeddings|encoder)\.|itm_head\.')
_POSITION_NUMBERS = 'text_encoder.embeddings.position_ids'  # 0, 1, 2 ...


@dataclass(frozen=True)
class LavisVariant:
    """One of the two sizes of LAVIS's BLIP.

    name: as `load_model` of LAVIS calls it.
    width, blocks, heads: of the image encoder.
    text_config: configuration of the text encoder, a file in LAVIS.
    """

    name: str
    width: int
    blocks: int
    heads: int
    text_config: str


VARIANTS = (
    LavisVariant('base', 768, 12, 12, 'configs/models/med_config.json'),
    LavisVariant('large', 1024, 24, 16, 'configs/models/med_large_config.json'),
)


class LavisTokenizer:
    """A tokenizer of LAVIS with character offsets; special tokens in a text are words.

    vocabulary: BERT's word pieces and their numbers.
    is_blip: whether it is BLIP's. LAVIS adds [DEC] and [ENC] to the vocabulary, in this order
        (`BlipBase.init_tokenizer`), and matches texts that begin with [ENC] in place of [CLS]
        (`BlipITM.forward`). ALBEF's is as BERT's.

    Raises KeyError for a vocabulary without [PAD], [UNK], [CLS] or [SEP].
    """

    def __init__(self, vocabulary: Mapping[str, int], is_blip: bool = True) -> None:
        padding, unknown, begin, end = ('[PAD]', '[UNK]', '[CLS]', '[SEP]')
        self.pad_token_id, self.sep_token_id = vocabulary[padding], vocabulary[end]
        self.cls_token_id = vocabulary[begin]
        self._count = len(vocabulary)
        if is_blip:
            self.cls_token_id, self._count = self._count + 1, self._count + 2
        pieces = models.WordPiece(
            dict(vocabulary), unk_token=unknown, max_input_chars_per_word=_LONGEST_WORD
        )
        self._pieces = Tokenizer(pieces)
        self._pieces.normalizer = normalizers.BertNormalizer(lowercase=True)
        self._pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def __len__(self) -> int:
        return self._count

    def __call__(self, text: str, **_: Any) -> dict[str, Any]:
        """Return the `input_ids` of a text without special tokens, and its `offset_mapping`."""
        encoded = self._pieces.encode(text, add_special_tokens=False)
        return {'input_ids': encoded.ids, 'offset_mapping': encoded.offsets}


class LavisVision(nn.Module):
    """A VisionTransformerEncoder of LAVIS, called like an image encoder of transformers."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = SimpleNamespace(patch_size=encoder.patch_embed.patch_size[0])

    def forward(self, pixel_values: Tensor) -> SimpleNamespace:
        """Return an object whose `last_hidden_state` is (B, 1 + N, D), [CLS] first."""
        return SimpleNamespace(last_hidden_state=self.encoder.forward_features(pixel_values))


def lavis_matcher(
    model: Any,
    device: torch.device | str = 'cpu',
    encoder_dtype: torch.dtype = torch.float32,
) -> FusionMatcher:
    """Return the matcher of a model of LAVIS, which is put on the device and frozen.

    model: a BlipITM, or another with visual_encoder, text_encoder, itm_head, tokenizer and
        max_txt_len, as BlipRetrieval and AlbefRetrieval are.
    """
    words = LavisTokenizer(model.tokenizer.vocab, hasattr(model.tokenizer, 'enc_token_id'))
    return _matcher(model, words, model.max_txt_len, device, encoder_dtype)


def load_lavis(
    weights: str | Path,
    tokenizer: str | Path | None = None,
    placement: Placement = ON_CPU,
) -> FusionMatcher:
    """Return the matcher of a checkpoint of LAVIS's BLIP, `{"model": {name: tensor}}`.

    weights: path of the file, base or large, told apart by the shapes of the tensors.
    tokenizer: a folder with the vocab.txt of bert-base-uncased, or its id on the hub; by default
        TOKENIZER, which is also a folder of this name in the working directory, as for LAVIS.

    Momentum copies, queues, projections and decoders are ignored; everything else must be there,
    and fit. Raises WeightsNotFoundError and WeightsMismatchError, and InvalidSettingError where
    LAVIS does not import.
    """
    lavis = _lavis()
    path = Path(weights)
    tensors = _tensors(path)
    variant = _variant(path, tensors)
    words = _tokenizer(tokenizer or TOKENIZER, placement)
    with torch.device('meta'):  # no time is spent on weights that are replaced
        modules = _modules(lavis, variant, tensors)
    _load(modules, path, variant, tensors)
    known = modules.text_encoder.embeddings.word_embeddings.num_embeddings
    if len(words) != known:
        raise WeightsMismatchError(
            f'The tokenizer at {tokenizer or TOKENIZER} has {len(words)} tokens, and the model at '
            f'{path} {known}: take that of {TOKENIZER}.'
        )
    return _matcher(modules, words, _MAX_TOKENS, placement.device, placement.encoder_dtype)


def _matcher(
    model: Any,
    words: LavisTokenizer,
    max_tokens: int,
    device: torch.device | str,
    encoder_dtype: torch.dtype,
) -> FusionMatcher:
    """Return the matcher of an object with visual_encoder, text_encoder and itm_head."""
    model = model.eval().requires_grad_(False).to(device)
    text = model.text_encoder
    use_thin_linear(text.encoder)
    return FusionMatcher(
        vision=LavisVision(model.visual_encoder).to(encoder_dtype),
        pixels=Pixels(model.visual_encoder.patch_embed.img_size[0]),
        embeddings=text.embeddings,
        layers=text.encoder.layer,
        head=model.itm_head,
        tokenizer=words,
        max_tokens=max_tokens,
        ends_with_sep=True,
    )


def _lavis() -> SimpleNamespace:
    """Return the classes of LAVIS that are used."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', FutureWarning)  # of PyTorch, about fairscale
            mend_torchvision()
            from lavis.models.med import XBertEncoder
            from lavis.models.vit import Block, VisionTransformerEncoder
    except (ImportError, RuntimeError) as error:
        reason = ' '.join(str(error).split()).rstrip('.')
        raise InvalidSettingError(
            f'matcher.kind lavis needs salesforce-lavis, which does not import here ({reason}): '
            '`make lavis` in the sources of this package makes the environment .venv-lavis, which '
            'has it; use .venv-lavis/bin/iterprime.'
        ) from error
    return SimpleNamespace(
        Block=Block, VisionTransformerEncoder=VisionTransformerEncoder, XBertEncoder=XBertEncoder
    )


def _tensors(path: Path) -> dict[str, Tensor]:
    tensors = read_checkpoint(path, 'BLIP checkpoint of LAVIS').get('model')
    if not isinstance(tensors, dict):
        raise WeightsMismatchError(f'{path} has no "model" in it, as checkpoints of LAVIS have.')
    tensors = only_tensors(tensors)
    tensors.pop(_POSITION_NUMBERS, None)
    return {name: tensor for name, tensor in tensors.items() if _NEEDED.match(name)}


def _variant(path: Path, tensors: Mapping[str, Tensor]) -> LavisVariant:
    token = tensors.get('visual_encoder.cls_token')
    norms = re.compile(r'visual_encoder\.blocks\.\d+\.norm1\.weight')
    blocks = sum(norms.fullmatch(name) is not None for name in tensors)
    width = token.shape[-1] if token is not None and token.ndim else 0
    for variant in VARIANTS:
        if (variant.width, variant.blocks) == (width, blocks):
            return variant
    names = ' or '.join(variant.name for variant in VARIANTS)
    raise WeightsMismatchError(
        f'{path} holds no image encoder of a BLIP {names} of LAVIS: it has {blocks} blocks of '
        f'width {width}.'
    )


def _tokenizer(source: str | Path, placement: Placement) -> LavisTokenizer:
    folder = model_folder(source, 'tokenizer', placement, with_weights=False)
    with reading(source, 'tokenizer', placement):
        path = folder / 'vocab.txt'
        if not path.is_file():
            raise OSError('it has no vocab.txt')
        pieces = path.read_text(encoding='utf-8').removesuffix('\n').split('\n')
        return LavisTokenizer({piece: number for number, piece in enumerate(pieces)})


def _modules(lavis: Any, variant: LavisVariant, tensors: Mapping[str, Tensor]) -> Any:
    """Return the modules of a BlipITM that are used, for the image size of the tensors."""
    positions = tensors.get('visual_encoder.pos_embed')
    patches = 0 if positions is None or positions.ndim < 2 else positions.shape[1] - 1
    side = _PATCH * math.isqrt(max(1, patches))
    vision = lavis.VisionTransformerEncoder(
        # Of no depth: with blocks its constructor reads numbers, which the device meta has not.
        img_size=side,
        patch_size=_PATCH,
        embed_dim=variant.width,
        depth=0,
        num_heads=variant.heads,
    )
    normalisation = partial(nn.LayerNorm, eps=1e-6)
    vision.blocks.extend(
        lavis.Block(variant.width, variant.heads, qkv_bias=True, norm_layer=normalisation)
        for _ in range(variant.blocks)
    )
    text = lavis.XBertEncoder.from_config({'med_config_path': variant.text_config})
    head = nn.Linear(text.config.hidden_size, 2)
    return nn.ModuleDict({'visual_encoder': vision, 'text_encoder': text, 'itm_head': head})


def _load(
    modules: nn.Module, path: Path, variant: LavisVariant, tensors: Mapping[str, Tensor]
) -> None:
    expected = modules.state_dict()
    numbers = expected.pop(_POSITION_NUMBERS)
    check_tensors(
        path,
        f'a BLIP {variant.name} of LAVIS',
        missing=expected.keys() - tensors.keys(),
        unexpected=tensors.keys() - expected.keys(),
        misshapen=(
            name
            for name in expected.keys() & tensors.keys()
            if tensors[name].shape != expected[name].shape
        ),
        integer=(
            name
            for name in expected.keys() & tensors.keys()
            if not tensors[name].is_floating_point()
        ),
    )
    state = {name: tensor.float() for name, tensor in tensors.items()}
    state[_POSITION_NUMBERS] = torch.arange(numbers.shape[1])[None]
    modules.load_state_dict(state, assign=True)
