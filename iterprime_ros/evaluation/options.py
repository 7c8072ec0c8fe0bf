"""What every evaluation is told: what to evaluate, on what, and where to write the reports."""

from dataclasses import dataclass
from pathlib import Path

from iterprime_ros.evaluation.registry import DATA_ROOT
from iterprime_ros.profiles import Profile
from iterprime_ros.weights import Placement


@dataclass(frozen=True)
class EvaluationOptions:
    """What to evaluate, on which questions or clips, and where to write the reports.

    profile: name or YAML file of the models and settings.
    out: folder for the reports; made where it does not exist.
    dataset: name in the registry.
    split: of the data set; None for its default split.
    limit: number of images, or of clips, at most; None for the data set's default.
    baselines: names in the registry.
    device: 'auto', 'cpu', 'cuda' or 'cuda:1'.
    offline: whether to load weights from local folders and the hub's cache alone.
    image_only: whether depth and calibration, where the data set has them, are withheld.
    data_root: folder that data sets on disk lie below.
    resume: whether an evaluation that `out` holds and that was not finished goes on.
    """

    profile: str
    out: Path
    dataset: str
    split: str | None = None
    limit: int | None = None
    baselines: tuple[str, ...] = ()
    device: str = 'auto'
    offline: bool = False
    image_only: bool = False
    data_root: Path = Path(DATA_ROOT)
    resume: bool = False

    def placement(self, profile: Profile) -> Placement:
        """Return where models besides those of a loaded profile go."""
        return Placement.named(self.device, profile.encoder_dtype, self.offline, self.profile)
