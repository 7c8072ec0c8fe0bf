"""A file of JSON lines that one process appends to."""

import fcntl
import json
from collections.abc import Mapping
from typing import Any, TextIO


def append_line(stream: TextIO, content: Mapping[str, Any]) -> None:
    """Write a line, and hand it to the system at once. Raises OSError."""
    stream.write(json.dumps(content, separators=(',', ':')) + '\n')
    stream.flush()


def lock(stream: TextIO) -> None:
    """Keep other processes from a file until it is closed, where the file system has locks.

    Raises BlockingIOError where another process has it.
    """
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return
