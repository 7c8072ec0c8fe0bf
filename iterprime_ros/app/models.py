"""The models of the page: each profile loaded once, the last picture encoded once."""

from hashlib import sha256
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation
from iterprime_ros.pipeline import Frame, IteRPrimE

if TYPE_CHECKING:
    from iterprime_ros.app.table import Measured


class Models:
    """Loads profiles when they are first asked, and answers with them. For one thread at a time.

    device: 'auto' (CUDA where there is one), 'cpu', 'cuda', 'cuda:1'.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._loaded: dict[str, IteRPrimE] = {}
        self._last: tuple[tuple[str, str], Frame] | None = None
        self._stopping = Event()

    def load(self, profile: str) -> IteRPrimE:
        """Return the model of a profile; the hub is never asked.

        Raises the errors of IteRPrimE.from_profile.
        """
        if profile not in self._loaded:
            self._loaded[profile] = IteRPrimE.from_profile(profile, self._device, offline=True)
        return self._loaded[profile]

    def segment(
        self, profile: str, image: NDArray[np.uint8], command: str, measured: 'Measured | None'
    ) -> Segmentation:
        """Answer a command on an image (H, W, 3) uint8 RGB.

        measured: its depth and calibration; None without.

        Raises the errors of `load` and of IteRPrimE.segment, and StoppedError after `stop`.
        """
        model, key = self.load(profile), (profile, digest(image))
        if self._last is None or self._last[0] != key:
            depth, pinhole = (measured.depth, measured.pinhole) if measured else (None, None)
            self._last = key, model.embed(image, depth, pinhole)
        return model.segment(self._last[1], command, should_stop=self._stopping.is_set)

    def stop(self) -> None:
        """End the answer that is being made; called from any thread."""
        self._stopping.set()


def digest(image: NDArray[np.uint8]) -> str:
    """Return what is the same for two images only if their pixels are."""
    return sha256(str(image.shape).encode() + np.ascontiguousarray(image).data).hexdigest()
