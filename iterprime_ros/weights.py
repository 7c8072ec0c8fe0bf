"""Weights from a local folder, the hub's cache or the hub, checked once, with clear errors."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError

from iterprime_ros.errors import InvalidSettingError, WeightsMismatchError, WeightsNotFoundError

_T = TypeVar('_T')
_LISTED = 5  # names of tensors in an error
_FETCH = '`iterprime models fetch PROFILE`'


@dataclass(frozen=True)
class Placement:
    """Where models are loaded, and from where weights may come.

    device: the device of all modules.
    encoder_dtype: dtype of image encoders; everything else is float32.
    local_files_only: whether the hub is never asked.
    """

    device: torch.device | str = 'cpu'
    encoder_dtype: torch.dtype = torch.float32
    local_files_only: bool = False

    @classmethod
    def named(cls, device: str, encoder_dtype: str, offline: bool) -> 'Placement':
        """Return the placement that names describe.

        device: 'auto' (CUDA where there is one), 'cpu', 'cuda', 'cuda:1'.
        encoder_dtype: 'auto' (bfloat16 on CUDA, else float32), 'float32', 'bfloat16', 'float16'.

        Raises InvalidSettingError for a device that is not here.
        """
        found = _device(device)
        if encoder_dtype == 'auto':
            encoder_dtype = 'bfloat16' if found.type == 'cuda' else 'float32'
        return cls(found, getattr(torch, encoder_dtype), offline)


ON_CPU = Placement()


def load_local_first(
    load: Callable[[bool], _T], source: str | Path, what: str, local_files_only: bool = False
) -> _T:
    """Return what `load(local_files_only)` loads from a folder or an id on the hub.

    The folder or the hub's cache comes first, then, unless `local_files_only`, the hub.

    Raises:
        WeightsNotFoundError: nothing at `source`, and no hub in reach.
        WeightsMismatchError: what is at `source` does not hold `what`.
    """
    try:
        try:
            return load(True)
        except OSError:
            if local_files_only or Path(source).exists():
                raise
            return load(False)
    except OSError as error:
        if Path(source).exists():
            raise WeightsMismatchError(
                f'{source} holds no {what} that can be read ({_first_line(error)}): fetch one with '
                f'{_FETCH}.'
            ) from error
        raise WeightsNotFoundError(
            f'No {what} at {source}: it is neither a local folder nor in the cache, and the hub '
            f'does not provide it. Where there is a network, fetch it with {_FETCH}.'
        ) from error
    except SafetensorError as error:
        raise WeightsMismatchError(
            f'The weights at {source} are damaged ({error}): fetch them again with {_FETCH}.'
        ) from error
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        raise WeightsMismatchError(
            f'{source} holds no {what} that fits: {_first_line(error)}'
        ) from error


def read_config(folder: str | Path) -> dict[str, Any]:
    """Return config.json of a local folder, or {} where there is none.

    Raises WeightsMismatchError for one that is no JSON object.
    """
    path = Path(folder) / 'config.json'
    if not path.is_file():
        return {}
    try:
        config = json.loads(path.read_text(encoding='utf-8'))
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise WeightsMismatchError(f'{path} is broken: it is no JSON object.')
    return config


def read_checkpoint(path: Path, what: str) -> dict[str, Any]:
    """Return the dictionary in a PyTorch file (.pth), its tensors in the CPU's memory.

    Raises WeightsNotFoundError where there is no file, and WeightsMismatchError where PyTorch
    cannot read it without executing code, or finds no dictionary in it.
    """
    if not path.is_file():
        raise WeightsNotFoundError(
            f'No {what} at {path}: fetch it with {_FETCH}, or name its path in the profile.'
        )
    try:
        content = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    except Exception as error:  # a wrong file makes torch.load raise errors of any type
        raise WeightsMismatchError(
            f'{path} is not a checkpoint that PyTorch can read: fetch it again with {_FETCH}.'
        ) from error
    return content if isinstance(content, dict) else {}


def check_tensors(
    source: str | Path,
    what: str,
    missing: Iterable[str],
    unexpected: Iterable[str] = (),
    misshapen: Iterable[str] = (),
) -> None:
    """Raise WeightsMismatchError, naming the first few, unless all three lists are empty.

    missing, unexpected, misshapen: names of tensors that `source` lacks, has too many, or has in
    another shape than the model.
    """
    complaints = [
        f'{len(names)} {word}: {", ".join(names[:_LISTED])}{" ..." if len(names) > _LISTED else ""}'
        for word, names in (
            ('missing', sorted(missing)),
            ('not expected', sorted(unexpected)),
            ('of another shape', sorted(misshapen)),
        )
        if names
    ]
    if complaints:
        raise WeightsMismatchError(
            f'{source} does not hold the weights of {what} (tensors: {"; ".join(complaints)}).'
        )


def _device(name: str) -> torch.device:
    try:
        auto = 'cuda' if torch.cuda.is_available() else 'cpu'
        device = torch.device(auto if name == 'auto' else name)
    except RuntimeError as error:
        raise InvalidSettingError(
            f'There is no device "{name}": use auto, cpu, cuda or cuda:0.'
        ) from error
    if device.type not in ('cpu', 'cuda'):
        raise InvalidSettingError(f'Device "{name}" is not supported: use auto, cpu or cuda.')
    if device.type == 'cuda' and (device.index or 0) >= torch.cuda.device_count():
        raise InvalidSettingError(
            f'There is no device "{name}" here: PyTorch sees {torch.cuda.device_count()} CUDA '
            'devices.'
        )
    return device


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
