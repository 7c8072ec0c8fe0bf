"""Which profiles the page offers: those whose weights are on this machine."""

from collections.abc import Sequence
from pathlib import Path

from iterprime_ros.errors import WeightsNotFoundError
from iterprime_ros.hub import is_cached, is_hub_id
from iterprime_ros.profiles import PROFILE_NAMES, Profile, load_profile


def offered_profiles(named: Sequence[str]) -> list[str]:
    """Return the profiles that are offered, the first of them chosen at the start.

    named: names or YAML files; where there are none, all profiles that are fetched are offered.

    Raises InvalidSettingError for a wrong profile, and WeightsNotFoundError for a named one whose
    weights are not here.
    """
    if not named:
        return [name for name in PROFILE_NAMES if _missing(load_profile(name)) is None]
    for name in named:
        missing = _missing(load_profile(name))
        if missing is not None:
            raise WeightsNotFoundError(
                f'{missing}, which profile {name} needs, is not on this machine: fetch it with '
                f'`iterprime models fetch {name}`.'
            )
    return list(dict.fromkeys(named))


def _missing(profile: Profile) -> str | None:
    """Return the first model that a picture needs and this machine lacks; None without one."""
    needed = [
        (profile.matcher.weights, True),
        (profile.masks.weights, True),
        (profile.matcher.tokenizer, False),
    ]
    for source, with_weights in needed:
        if source is None or Path(source).exists():
            continue
        if not (is_hub_id(source) and is_cached(source, with_weights)):
            return source
    return None
