"""Weights from a local folder, the hub's cache or the hub, checked once, with clear errors."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from iterprime_ros.errors import (
    InvalidSettingError,
    IterprimeError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from iterprime_ros.hub import HubUnreachableError, cached_snapshot, fetch, is_cached, is_hub_id

_LISTED = 5  # names of tensors in an error
_REASON = 200  # characters of another library's message in an error
_MEMORY_FULL = ('out of memory', "can't allocate memory")  # PyTorch on a GPU, on a CPU


@dataclass(frozen=True)
class Placement:
    """Where models are loaded, and from where weights may come.

    device: the device of all modules.
    encoder_dtype: dtype of image encoders; everything else is float32.
    local_files_only: whether the hub is never asked.
    profile: the profile that is loaded, by name or file; messages say how to fetch it.
    """

    device: torch.device | str = 'cpu'
    encoder_dtype: torch.dtype = torch.float32
    local_files_only: bool = False
    profile: str | Path = 'PROFILE'

    @classmethod
    def named(
        cls, device: str, encoder_dtype: str, offline: bool, profile: str | Path = 'PROFILE'
    ) -> 'Placement':
        """Return the placement that names describe.

        device: 'auto' (CUDA where there is one), 'cpu', 'cuda', 'cuda:1'.
        encoder_dtype: 'auto' (bfloat16 on CUDA, else float32), 'float32', 'bfloat16', 'float16'.
        offline: whether the hub is never asked.
        profile: the profile that is loaded, by name or file.

        Raises InvalidSettingError for a device that is not here.
        """
        found = _device(device)
        if encoder_dtype == 'auto':
            encoder_dtype = 'bfloat16' if found.type == 'cuda' else 'float32'
        return cls(found, getattr(torch, encoder_dtype), offline, profile)

    @property
    def fetch_command(self) -> str:
        """What fetches the weights, as a message quotes it."""
        return f'`iterprime models fetch {self.profile}`'


ON_CPU = Placement()


def model_folder(
    source: str | Path, what: str, placement: Placement = ON_CPU, with_weights: bool = True
) -> Path:
    """Return the local folder of a model: `source`, or its snapshot in the hub's cache.

    source: a local folder, or an id on the hub.
    what: the model in words, for messages.
    with_weights: whether it must have tensors; a tokenizer has none.

    The hub is asked only where the cache lacks a file that is needed. Raises WeightsNotFoundError
    where the model is in neither place and the hub does not provide it.
    """
    name = str(source)
    with suppress(OSError):  # a name too long for a folder
        if Path(source).is_dir():
            return Path(source)
    folder = cached_snapshot(name)
    if folder and is_cached(name, with_weights):
        return folder
    nowhere = f'No {what} at {name}: it is neither a local folder nor '
    cure = f'where there is a network, fetch it with {placement.fetch_command}'
    if not is_hub_id(name):
        raise WeightsNotFoundError(
            f'{nowhere}an id on the hub: correct it in the profile, or {cure}.'
        )
    if placement.local_files_only:
        raise WeightsNotFoundError(f'{nowhere}in the cache, and the hub may not be asked: {cure}.')
    try:
        fetch(name, with_weights)
    except HubUnreachableError as error:
        raise WeightsNotFoundError(
            f'{nowhere}in the cache, and the hub is out of reach ({error}): {cure}.'
        ) from error
    return cached_snapshot(name) or Path(source)


@contextmanager
def reading(source: str | Path, what: str, placement: Placement = ON_CPU) -> Iterator[None]:
    """Turn every error that a damaged or wrong file causes into WeightsMismatchError.

    source: where the file is from.
    what: what it should hold, in words.
    """
    try:
        yield
    except (IterprimeError, MemoryError):
        raise
    except OSError as error:
        raise WeightsMismatchError(
            f'{source} holds no {what} that can be read ({_reason(error)}): fetch one with '
            f'{placement.fetch_command}.'
        ) from error
    except SafetensorError as error:
        raise WeightsMismatchError(
            f'The weights at {source} are damaged ({_reason(error)}): fetch them again with '
            f'{placement.fetch_command}.'
        ) from error
    except Exception as error:  # a wrong file makes transformers raise errors of any type
        if any(words in str(error) for words in _MEMORY_FULL):
            raise
        raise WeightsMismatchError(
            f'{source} holds no {what} that fits ({_reason(error)}): fetch one with '
            f'{placement.fetch_command}.'
        ) from error


def read_checkpoint(path: Path, what: str) -> dict[str, Any]:
    """Return the dictionary in a PyTorch file (.pth), its tensors in the CPU's memory.

    what: the file in words, for messages.

    Raises WeightsNotFoundError where there is no file, and WeightsMismatchError where PyTorch
    cannot read it without executing code, or finds no dictionary in it.
    """
    is_there = False
    with suppress(OSError):  # a name too long for a file
        is_there = path.is_file()
    if not is_there:
        raise WeightsNotFoundError(
            f'No {what} at {path}: it is on no hub, so download it from its authors, and name its '
            'path in the profile.'
        )
    try:
        content = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    except Exception as error:  # a wrong file makes torch.load raise errors of any type
        raise WeightsMismatchError(
            f'{path} is not a checkpoint that PyTorch can read: download it from its authors again.'
        ) from error
    return content if isinstance(content, dict) else {}


def only_tensors(content: dict[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint, by name."""
    return {
        name: value
        for name, value in content.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }


def check_tensors(
    source: str | Path,
    what: str,
    missing: Iterable[str] = (),
    unexpected: Iterable[str] = (),
    misshapen: Iterable[str] = (),
    integer: Iterable[str] = (),
) -> None:
    """Raise WeightsMismatchError, naming the first few, unless all lists are empty.

    missing, unexpected, misshapen: names of tensors that `source` lacks, has too many, or has in
        another shape than the model.
    integer: names of tensors that are integers in `source` and not in the model.
    """
    complaints = [
        f'{len(names)} {word}: {", ".join(names[:_LISTED])}{" ..." if len(names) > _LISTED else ""}'
        for word, names in (
            ('missing', sorted(missing)),
            ('not expected', sorted(unexpected)),
            ('of another shape', sorted(misshapen)),
            ('of integers, as quantised weights are', sorted(integer)),
        )
        if names
    ]
    if complaints:
        raise WeightsMismatchError(
            f'{source} does not hold the weights of {what} (tensors: {"; ".join(complaints)}).'
        )


def check_finite(what: str, *outputs: Tensor) -> None:
    """Raise WeightsMismatchError unless all outputs of a model are finite.

    what: the model, as a message begins.
    """
    if not all(bool(each.isfinite().all()) for each in outputs):
        raise damaged_weights(f'{what} gave no number that is finite')


def damaged_weights(symptom: str) -> WeightsMismatchError:
    """Return the error for outputs that no trained model gives; symptom begins its message."""
    return WeightsMismatchError(
        f'{symptom}: its weights are damaged, and {ON_CPU.fetch_command} mends those from the hub, '
        'or encoder_dtype float16 is too narrow for them, and bfloat16 or float32 will do.'
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


def _reason(error: Exception) -> str:
    text = ' '.join(str(error).split()) or type(error).__name__
    return text[:_REASON].rstrip(' .')
