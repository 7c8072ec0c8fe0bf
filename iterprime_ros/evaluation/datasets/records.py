"""Checks of what the annotations of a data set hold."""

from iterprime_ros.errors import InvalidSettingError


def check_limit(dataset: str, limit: int | None) -> None:
    """Raise InvalidSettingError for a limit of no image."""
    if limit is not None and limit < 1:
        raise InvalidSettingError(
            f'The limit of images of data set {dataset} must be 1 or more, not {limit}.'
        )


def identity(value: object) -> int:
    """Return an id; raise TypeError for what is no whole number."""
    if not isinstance(value, int):
        raise TypeError(f'{value!r} is no id')
    return value


def text(value: object) -> str:
    """Return a text; raise TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f'{value!r} is no text')
    return value


def reason(error: Exception) -> str:
    """Return what a KeyError, TypeError or ValueError says of a record, as half a sentence."""
    return f'no {error}' if isinstance(error, KeyError) else str(error)
