"""The node's parameters: what each is for, its range, and which of them change while it runs."""

import re
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    ParameterType,
)
from rclpy.node import Node

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.profiles import DEFAULT, Profile

MODES = ('once', 'continuous')
TRANSPORTS = ('raw', 'compressed')
_CAMERA_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]*')


@dataclass(frozen=True)
class _Described:
    """A parameter. bounds: inclusive; choices: the only values; live: whether it may change."""

    default: Any
    description: str
    bounds: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    live: bool = False


MODELS = {
    'profile': _Described(DEFAULT, 'Models and settings: a name, or a YAML file.'),
    'device': _Described('auto', 'auto (CUDA where there is one), cpu, cuda, cuda:1 ...'),
    'offline': _Described(False, 'Never ask the hub for weights.'),
    'cameras': _Described(
        [''], 'Names of cameras, whose topics are NAME/image and so on; none: one without a name.'
    ),
    'image_transport': _Described('raw', 'How images come.', choices=TRANSPORTS),
    'use_depth': _Described(True, 'Whether to listen to depth and camera_info.'),
}
WORK = {
    'mode': _Described(
        'once',
        'once: a command is answered on the next frame. continuous: the last command is answered '
        'on every frame there is time for.',
        choices=MODES,
        live=True,
    ),
    'frame_timeout': _Described(
        2.0, 'Seconds to wait for a frame before an error is answered.', (0.1, 60.0), live=True
    ),
    'depth_tolerance': _Described(
        0.02, 'Seconds by which the stamps of image and depth may differ.', (0.0, 1.0), live=True
    ),
    'max_candidates': _Described(
        3, 'Masks of lower rank that an answer carries.', (0, 16), live=True
    ),
}


def thresholds(profile: Profile) -> dict[str, _Described]:
    """Return the parameters that change how answers are found; defaults are the profile's."""
    return {
        'match_threshold': _Described(
            profile.answer.match_threshold,
            'Below this matching probability nothing is found.',
            (0.0, 1.0),
            live=True,
        ),
        'ambiguity_margin': _Described(
            profile.answer.ambiguity_margin,
            'Another peak this close to the highest makes an answer ambiguous; 0 never does.',
            (0.0, 1.0),
            live=True,
        ),
        'rounds': _Described(
            profile.grounding.rounds, 'Rounds of refinement at most.', (1, 10), live=True
        ),
    }


def with_thresholds(profile: Profile, values: dict[str, Any]) -> Profile:
    """Return a profile with other values of the parameters that `thresholds` describes."""
    answer = {name: values[name] for name in ('match_threshold', 'ambiguity_margin')}
    return profile.model_copy(
        update={
            'answer': profile.answer.model_copy(update=answer),
            'grounding': profile.grounding.model_copy(update={'rounds': values['rounds']}),
        }
    )


def camera_names(given: list[str]) -> list[str]:
    """Return the names of cameras, '' for the only one.

    Raises InvalidSettingError for one that cannot be part of a topic's name or is given twice.
    """
    names = list(given) or ['']
    if names == ['']:
        return names
    for name in names:
        if not _CAMERA_NAME.fullmatch(name):
            raise InvalidSettingError(
                f'cameras: "{name}" is no name: use letters, digits and underscores, a letter '
                'first.'
            )
    if len(set(names)) < len(names):
        raise InvalidSettingError(f'cameras: a name is given twice in {", ".join(names)}.')
    return names


def declared(node: Node, described: dict[str, _Described]) -> dict[str, Any]:
    """Declare parameters and return their values.

    Raises rclpy's ParameterException for a value of another type or outside its range, and
    ValueError for one that is no choice.
    """
    values = {}
    for name, each in described.items():
        value = node.declare_parameter(name, each.default, _descriptor(each)).value
        if problem := problem_of(each, name, value):
            raise ValueError(problem)
        values[name] = value
    return values


def problem_of(each: _Described, name: str, value: object) -> str:
    """Return a sentence about a value that is no choice of a parameter, '' for any other."""
    if each.choices and value not in each.choices:
        return f'{name} must be {" or ".join(each.choices)}, not "{value}".'
    return ''


def _descriptor(each: _Described) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(description=each.description, read_only=not each.live)
    if each.choices:
        descriptor.additional_constraints = f'One of: {", ".join(each.choices)}.'
    if each.bounds is None:
        return descriptor
    low, high = each.bounds
    if isinstance(each.default, int):
        descriptor.type = ParameterType.PARAMETER_INTEGER
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    else:
        descriptor.type = ParameterType.PARAMETER_DOUBLE
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    return descriptor
