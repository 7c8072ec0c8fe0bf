"""What Ctrl-C does while the command runs."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from iterprime_ros.cli.exit_codes import INTERRUPTED

TO_GO_ON = 'Interrupted: run the same command to go on.'


@contextmanager
def exit_on_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the process at once, for code that leaves nothing behind.

    A KeyboardInterrupt aborts the process inside the import of compiled code, and is lost inside a
    destructor.
    """

    def end(*_: object) -> None:
        if sys.stderr and sys.stderr.isatty():
            os.write(sys.stderr.fileno(), b'\n')  # the progress bar leaves the cursor in its line
        os._exit(INTERRUPTED)

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # ignored in the background, for example
        return
    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def defer_interrupt() -> Iterator[None]:
    """Let Ctrl-C wait for the end of a block that writes files."""
    before = signal.getsignal(signal.SIGINT)
    pending = []
    signal.signal(signal.SIGINT, lambda *_: pending.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pending:
        signal.raise_signal(signal.SIGINT)


@contextmanager
def raise_on_interrupt() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt inside `exit_on_interrupt`, for code that cleans up."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):
        yield  # ignored in the background, for example
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def noted_interrupt() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether Ctrl-C was pressed, for code that ends by itself then."""
    before = signal.getsignal(signal.SIGINT)
    pressed: list[bool] = []
    if callable(before):  # it is ignored in the background, for example
        signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)
