"""Models and tokenizers in folders of transformers' format, loaded without running their code.

A folder holds config.json and tensors: safetensors, or where there are none a PyTorch file
(pytorch_model.bin), of which tensors alone are read.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from iterprime_ros.errors import WeightsMismatchError
from iterprime_ros.hub import TOKENIZER_FILES
from iterprime_ros.weights import ON_CPU, Placement, check_tensors, model_folder, reading


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises OSError where there is no file, and WeightsMismatchError for one that is no JSON object.
    """
    if not path.is_file():
        raise OSError(f'it has no {path.name}')
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise WeightsMismatchError(f'{path} is broken: it is no JSON object.')
    return content


def load_pretrained(
    architecture: Any,
    folder: Path,
    what: str,
    attention: str,
    rehearse: Callable[[Any], object],
    placement: Placement = ON_CPU,
) -> Any:
    """Return a model with the configuration and the tensors of a folder, float32 on the CPU.

    architecture: a class of transformers.
    what: the model in words, for messages.
    attention: how attention is computed, 'eager' or 'sdpa', whatever config.json says.
    rehearse: called with a model of this configuration whose tensors have shapes but no content;
        it computes what will be computed, so that a configuration that cannot work is refused.

    Raises WeightsMismatchError.
    """
    with reading(folder, what, placement):
        settings = read_json(folder / 'config.json')
        if 'quantization_config' in settings:
            raise WeightsMismatchError(
                f'{folder} holds quantised weights, which are not supported: choose a copy in '
                'float32, float16 or bfloat16.'
            )
        settings.pop('model_type', None)
        config = architecture.config_class.from_dict(settings)
        config._attn_implementation = attention  # noqa: SLF001
        with torch.device('meta'), torch.no_grad():
            outline = architecture(config).eval()
            rehearse(outline)
        described = f'the {architecture.__name__} that its config.json describes'
        is_safe = _check_headers(folder, described, outline.state_dict())
        model, info = architecture.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            attn_implementation=attention,
            use_safetensors=is_safe,
            weights_only=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # check_tensors names them
        )
    check_tensors(
        folder,
        described,
        info['missing_keys'],
        misshapen=(str(key[0]) for key in info['mismatched_keys']),
    )
    return model


def _check_headers(folder: Path, what: str, expected: dict[str, Tensor]) -> bool:
    """Return whether a folder has safetensors; raise WeightsMismatchError for ones that do not fit.

    Only their headers are read, so that no memory is taken for tensors of wrong sizes.
    """
    single = folder / 'model.safetensors'
    files = [single] if single.is_file() else sorted(folder.glob('model-*.safetensors'))
    misshapen, integer = [], []
    for path in files:
        with safe_open(path, 'pt') as stored:
            for name in stored.keys() & expected.keys():
                header = stored.get_slice(name)
                if tuple(header.get_shape()) != tuple(expected[name].shape):
                    misshapen.append(name)
                if expected[name].is_floating_point() and 'F' not in header.get_dtype():
                    integer.append(name)
    check_tensors(folder, what, misshapen=misshapen, integer=integer)
    return bool(files)


def load_tokenizer(source: str | Path, placement: Placement = ON_CPU) -> PreTrainedTokenizerBase:
    """Return a tokenizer of BERT's kind that gives character offsets.

    source: a local folder, or an id on the hub.

    Raises WeightsNotFoundError and WeightsMismatchError.
    """
    folder = model_folder(source, 'tokenizer', placement, with_weights=False)
    with reading(source, 'tokenizer', placement):
        if not any((folder / name).is_file() for name in TOKENIZER_FILES):
            raise OSError(f'it has none of {", ".join(TOKENIZER_FILES)}')
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        special = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
        if not tokenizer.is_fast or None in special:
            raise ValueError('it gives no character offsets, or lacks [CLS], [SEP] or [PAD]')
    return tokenizer
