"""Weights from a local folder, the hub's cache or the hub; and what to say where they are not."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError

from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError

_T = TypeVar('_T')
_SHOWN = 5


def found(
    load: Callable[[bool], _T], source: str | Path, what: str, local_files_only: bool = False
) -> _T:
    """Return what `load(local_files_only)` loads from a folder or hub id.

    The folder or the hub's cache comes first, then, unless local_files_only, the hub.

    Raises:
        WeightsNotFoundError: nothing at `source`, and no hub in reach to ask.
        WeightsMismatchError: a file there does not hold `what`.
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
                f'{source} holds no {what} that can be read: {_first_line(error)}'
            ) from error
        raise WeightsNotFoundError(
            f'No {what} at {source}: it is no local folder, and is neither in the cache nor to be '
            'had from the hub. Fetch it where there is a network with "iterprime models fetch".'
        ) from error
    except (SafetensorError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise WeightsMismatchError(
            f'{source} holds no {what} that fits: {_first_line(error)}'
        ) from error


def config_of(folder: str | Path) -> dict:
    """Return config.json of a local folder, or {} where there is none.

    Raises WeightsMismatchError for one that cannot be read.
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


def require_exact(
    source: str | Path, what: str, missing: Iterable[str], unexpected: Iterable[str] = ()
) -> None:
    """Raise WeightsMismatchError, naming the first few, when tensors are missing or too many."""
    complaints = [
        f'{len(names)} {word}: {", ".join(names[:_SHOWN])}{" ..." if len(names) > _SHOWN else ""}'
        for word, names in (('missing', sorted(missing)), ('not expected', sorted(unexpected)))
        if names
    ]
    if complaints:
        raise WeightsMismatchError(
            f'{source} does not hold the weights of {what}; tensors {"; ".join(complaints)}.'
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
