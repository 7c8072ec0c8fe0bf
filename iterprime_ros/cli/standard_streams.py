"""What the command prints: answers to standard output, remarks and errors to standard error."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from iterprime_ros.errors import UnwritableError


def say(line: str) -> None:
    """Print a line to standard output now. Raises UnwritableError."""
    with standard_output():
        print(line)


@contextmanager
def standard_output() -> Iterator[None]:
    """Flush standard output at the end, and raise UnwritableError for what it does not take."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        # Python would try to write the rest once more when it ends.
        with suppress(OSError, ValueError), Path(os.devnull).open('w') as sink:
            os.dup2(sink.fileno(), sys.stdout.fileno())
        raise UnwritableError(
            f'Standard output failed ({error.strerror}): send it to a reader that stays open, or '
            'to a file on a disk with space.'
        ) from error


def complain(message: object) -> None:
    """Print a line to standard error; if that fails, the answers still count."""
    try:
        print(message, file=sys.stderr)
    except OSError:
        # Else Python tries again at its end, fails, and makes the exit code 120.
        sys.stderr = nowhere()


def nowhere() -> TextIO:
    """Return a stream that drops what is written."""
    return Path(os.devnull).open('w')


def quieten_the_hub() -> None:
    """Silence the progress and loading messages of the hub's libraries."""
    os.environ.setdefault('HF_HUB_DISABLE_PROGRESS_BARS', '1')
    os.environ.setdefault('TRANSFORMERS_VERBOSITY', 'error')
    os.environ.setdefault('HF_HUB_VERBOSITY', 'error')

    from transformers.utils import logging

    logging.disable_progress_bar()
