"""The questions that wait for their reply, of every camera."""

import threading
import time
from typing import Any

from iterprime_ros.dialogue.exchange import Exchange


class Dialogues:
    """Keeps at most one open question for each camera.

    All methods may be called from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, tuple[Exchange, float]] = {}
        self._asked: dict[str, Any] = {}

    def ask(self, camera: str, request: Any, exchange: Exchange) -> bool:
        """Note the question to a request; return False where that was asked before.

        A request that is answered on every image is asked about once.
        """
        with self._lock:
            if self._asked.get(camera) is request:
                return False
            self._asked[camera] = request
            self._open[camera] = (exchange, time.monotonic())
            return True

    def take(self, camera: str, seconds: float) -> Exchange | None:
        """Return the question that what was said just now may be a reply to, which ends it.

        seconds: how long a question waits for its reply.
        """
        with self._lock:
            exchange, asked = self._open.pop(camera, (None, 0.0))
            return exchange if time.monotonic() - asked <= seconds else None

    def put_back(self, camera: str, exchange: Exchange | None) -> None:
        """Wait again for the reply to a question, where what was said could not be answered."""
        if exchange is not None:
            with self._lock:
                self._open.setdefault(camera, (exchange, time.monotonic()))

    def end(self) -> None:
        """Forget all questions."""
        with self._lock:
            self._open.clear()
