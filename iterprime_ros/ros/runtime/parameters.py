"""The node's parameters: description, range, and which may change while it runs."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    ParameterType,
)
from rclpy.node import Node

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.limits import MAX_PIXELS
from iterprime_ros.profiles import DEFAULT, Profile
from iterprime_ros.spatial.grasping import MAX_GRASPS

MODES = ('once', 'continuous', 'track')
TRANSPORTS = ('raw', 'compressed')
RELIABILITIES = ('best_effort', 'reliable')
_SIZES = ParallelGripper()
_GRIPPER = {
    'max_opening': ('Greatest distance of the fingers, in metres.', (0.01, 0.5)),
    'finger_width': ('Width of a finger, in metres.', (0.002, 0.1)),
    'finger_thickness': (
        'Of a finger, along the axis that it moves along, in metres.',
        (0.001, 0.1),
    ),
    'finger_depth': ('Length of a finger below the palm, in metres.', (0.01, 0.5)),
    'palm_width': ('Of the palm, across that axis, in metres.', (0.005, 0.5)),
    'palm_length': ('Of the palm, along that axis, in metres.', (0.005, 0.5)),
    'friction': ('Friction coefficient of finger and object.', (0.05, 2.0)),
}
_CAMERA_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]*')


@dataclass(frozen=True)
class ParameterSpec:
    """A parameter.

    default: its default value, which gives the type.
    description: one sentence.
    bounds: least and greatest value, None for any.
    choices: the only values, empty for any.
    live: whether it may change while the node runs.
    """

    default: Any
    description: str
    bounds: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    live: bool = False


MODEL_PARAMETERS = {
    'profile': ParameterSpec(DEFAULT, 'Models and settings: a name, or a YAML file.'),
    'device': ParameterSpec('auto', 'auto (CUDA where there is one), cpu, cuda, cuda:1 ...'),
    'offline': ParameterSpec(False, 'Never ask the hub for weights.'),
    'cameras': ParameterSpec(
        [''],
        'Names of cameras, whose topics are NAME/image and so on; none: one camera without a name.',
    ),
    'image_transport': ParameterSpec('raw', 'Transport of the images.', choices=TRANSPORTS),
    'use_depth': ParameterSpec(True, 'Whether to subscribe to depth and camera_info.'),
    'reliability': ParameterSpec(
        'best_effort',
        'QoS of the subscriptions to images, depth and camera_info; reliable loses no image, but '
        'needs reliable publishers and slows them down.',
        choices=RELIABILITIES,
    ),
    'rectified': ParameterSpec(
        False,
        'Whether image and depth are rectified, so that P of camera_info applies and not K and D.',
    ),
}
LIVE_PARAMETERS = {
    'mode': ParameterSpec(
        'once',
        'once: a command is answered on the next image. continuous: the last command is answered '
        'on every image that the node can keep up with. track: what the last command refers to is '
        'found once and followed from image to image; an empty command ends that.',
        choices=MODES,
        live=True,
    ),
    'frame_timeout': ParameterSpec(
        2.0,
        'Seconds to wait for an image before the answer is ERROR. A track waits on.',
        (0.1, 60.0),
        live=True,
    ),
    'depth_tolerance': ParameterSpec(
        0.02, 'Seconds by which the stamps of image and depth may differ.', (0.0, 1.0), live=True
    ),
    'depth_wait': ParameterSpec(
        0.1, 'Seconds for which an image waits for its depth.', (0.0, 10.0), live=True
    ),
    'max_waiting': ParameterSpec(8, 'Most commands that wait for a camera.', (1, 1000), live=True),
    'reply_timeout': ParameterSpec(
        30.0,
        'Seconds for which what is said may be the reply to ~/question; with 0 nothing is asked.',
        (0.0, 600.0),
        live=True,
    ),
    'max_pixels': ParameterSpec(
        MAX_PIXELS,
        'Most pixels of a compressed image; a larger one is INVALID.',
        (1, 500_000_000),
        live=True,
    ),
    'max_candidates': ParameterSpec(
        3, 'Most candidates beside what is found in an answer.', (0, 16), live=True
    ),
    'max_grasps': ParameterSpec(
        MAX_GRASPS,
        'Most grasps in an answer with depth; with 0 none are computed.',
        (0, 16),
        live=True,
    ),
    **{
        f'gripper_{name}': ParameterSpec(getattr(_SIZES, name), words, bounds, live=True)
        for name, (words, bounds) in _GRIPPER.items()
    },
}


def gripper_of(values: dict[str, Any]) -> ParallelGripper:
    """Return the gripper that the parameters describe."""
    return ParallelGripper(**{name: values[f'gripper_{name}'] for name in _GRIPPER})


def thresholds(profile: Profile) -> dict[str, ParameterSpec]:
    """Return the parameters that change how answers are found; defaults are the profile's."""
    return {
        'match_threshold': ParameterSpec(
            profile.answer.match_threshold,
            'Below this matching probability, or chance by parts, the answer is NOT_FOUND.',
            (0.0, 1.0),
            live=True,
        ),
        'ambiguity_margin': ParameterSpec(
            profile.answer.ambiguity_margin,
            'Another object makes the answer AMBIGUOUS if its peak, or its chance by parts, is at '
            'least 1 minus this share of the highest; 0 never does.',
            (0.0, 1.0),
            live=True,
        ),
        'rounds': ParameterSpec(
            profile.grounding.rounds, 'Most rounds of refinement.', (1, 10), live=True
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
                f'cameras: "{name}" is not a valid name: use letters, digits and underscores, '
                'beginning with a letter.'
            )
    if len(set(names)) < len(names):
        raise InvalidSettingError(f'cameras: a name is given twice in {", ".join(names)}.')
    return names


def declared_values(node: Node, specs: dict[str, ParameterSpec]) -> dict[str, Any]:
    """Declare parameters and return their values.

    Raises rclpy's ParameterException for a value of another type or outside its range, and
    ValueError for one that is no choice.
    """
    values = {}
    for name, spec in specs.items():
        value = node.declare_parameter(name, spec.default, _descriptor(spec)).value
        if problem := problem_of(spec, name, value):
            raise ValueError(problem)
        values[name] = value
    return values


def warn_of_unknown_parameters(node: Node) -> None:
    """Log the parameters that were given and that a node does not have, with the nearest name."""
    given = set(node._parameter_overrides)  # noqa: SLF001  # rclpy has no other way to see them
    known = set(node.get_parameters_by_prefix(''))
    for name in sorted(given - known):
        if name.startswith('qos_overrides.'):
            continue
        near = get_close_matches(name, known, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else '.'
        node.get_logger().warning(f'There is no parameter "{name[:60]}"{hint}')


def problem_of(spec: ParameterSpec, name: str, value: object) -> str:
    """Return a sentence about a value that a parameter does not allow, '' for any other."""
    if spec.choices and value not in spec.choices:
        return f'{name} must be {" or ".join(spec.choices)}, not "{value}".'
    return ''


def _descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(description=spec.description, read_only=not spec.live)
    if spec.choices:
        descriptor.additional_constraints = f'One of: {", ".join(spec.choices)}.'
    if spec.bounds is None:
        return descriptor
    low, high = spec.bounds
    if isinstance(spec.default, int):
        descriptor.type = ParameterType.PARAMETER_INTEGER
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    else:
        descriptor.type = ParameterType.PARAMETER_DOUBLE
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    return descriptor
