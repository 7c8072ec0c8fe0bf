"""What can go wrong at the edges of the package; every message is one sentence with the cure."""


class IterprimeError(Exception):
    """Base of every error that the package raises on purpose."""


class InvalidCommandError(IterprimeError):
    """A command that says nothing that could refer to an object."""


class InvalidImageError(IterprimeError):
    """An image that is not (H, W, 3) uint8 with at least one pixel."""


class InvalidSettingError(IterprimeError):
    """A setting, or a profile, that does not exist or is outside its range."""


class WeightsNotFoundError(IterprimeError):
    """Weights that are neither in a local folder nor in the cache, with the hub out of reach."""


class WeightsMismatchError(IterprimeError):
    """A file that is there and is not the weights of the architecture that was asked for."""


class InvalidCalibrationError(IterprimeError):
    """A calibration that is no pinhole camera, or belongs to another image."""


class InvalidDepthError(IterprimeError):
    """A depth image that cannot be read, does not fit its image, or has nothing on the object."""


class StoppedError(IterprimeError):
    """Work that was stopped before its end because its result is no longer wanted."""


class UnwritableError(IterprimeError):
    """A file that cannot be written where it is wanted."""


class MissingDependencyError(IterprimeError):
    """A package of an extra, or a library of the system, that is not installed."""
