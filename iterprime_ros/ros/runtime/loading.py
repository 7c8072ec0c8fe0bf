"""Loads the models of a node in a thread, so that loading can be given up."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from iterprime_ros.backends import load_propagator
from iterprime_ros.errors import StoppedError
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.tracking.propagation import Propagator
from iterprime_ros.weights import Placement


@dataclass(frozen=True)
class Loaded:
    """The models of a node.

    model: answers commands.
    propagators: by camera, what carries the masks of its track from image to image.
    """

    model: IteRPrimE
    propagators: dict[str, Propagator]


def load_in_thread(
    profile: str,
    device: str,
    offline: bool,
    cameras: Sequence[str],
    is_wanted: Callable[[], bool],
) -> Loaded:
    """Return the models of a profile, loaded in another thread so that this one can give up.

    cameras: the names of the cameras, each of which may have a track.
    is_wanted: asked ten times a second; once it returns False, StoppedError is raised at once.

    Raises the errors of IteRPrimE.from_profile and of backends.load_propagator.
    """
    loaded: list[Loaded | Exception] = []

    def load() -> None:
        try:
            model = IteRPrimE.from_profile(profile, device, offline)
            loaded.append(Loaded(model, _propagators(model, profile, device, offline, cameras)))
        except Exception as error:  # raised again in the waiting thread
            loaded.append(error)

    thread = threading.Thread(target=load, name='iterprime loader', daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
        if not is_wanted():
            raise StoppedError('Loading was given up.')
    if isinstance(loaded[0], Exception):
        raise loaded[0]
    return loaded[0]


def _propagators(
    model: IteRPrimE, profile: str, device: str, offline: bool, cameras: Sequence[str]
) -> dict[str, Propagator]:
    settings = model.profile.tracking
    placement = Placement.named(device, model.profile.encoder_dtype, offline, profile)
    return {
        name: load_propagator(settings.kind, model.proposer, settings.weights, placement)
        for name in cameras
    }
