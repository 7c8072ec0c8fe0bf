"""What `iterprime bag` does: answer commands on the images of a bag, into a copy of it."""

import argparse
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from iterprime_ros.cli.exit_codes import FOUND, INTERRUPTED, NOT_FOUND, WRONG_USE
from iterprime_ros.cli.interrupts import exit_on_interrupt
from iterprime_ros.cli.standard_streams import complain, quieten_the_hub, say
from iterprime_ros.errors import StoppedError

if TYPE_CHECKING:
    from iterprime_ros.bag_files.answer_bag import BagSummary
    from iterprime_ros.bag_files.bag_job import BagJob
    from iterprime_ros.pipeline import IteRPrimE
    from iterprime_ros.tracking.tracker import Tracker

_FOUND_STATES = ('found', 'found several', 'tracking')


@exit_on_interrupt()
def answer_bag_images(options: argparse.Namespace) -> int:
    """Answer what the arguments of `iterprime bag` ask, and return the exit code.

    Raises an IterprimeError where they cannot be used together, or name what cannot be used.
    """
    from iterprime_ros.bag_files.bag_job import plan_bag

    job = plan_bag(
        options.bag,
        options.out,
        options.command,
        options.topic,
        options.depth,
        options.camera_info,
        options.every,
    )
    quieten_the_hub()
    from iterprime_ros.pipeline import IteRPrimE

    model = IteRPrimE.from_profile(options.profile, options.device, options.offline)
    if model.profile.notice:
        complain(model.profile.notice)
    new_tracker = _tracker_maker(options, model) if options.track else None
    try:
        summary = _with_progress(model, job, new_tracker)
    except StoppedError:
        return INTERRUPTED
    return _report(job, summary)


def _tracker_maker(options: argparse.Namespace, model: 'IteRPrimE') -> 'Callable[[], Tracker]':
    from iterprime_ros.tracking.tracker import load_tracker
    from iterprime_ros.weights import Placement

    dtype = model.profile.encoder_dtype
    placement = Placement.named(options.device, dtype, options.offline, options.profile)
    return partial(load_tracker, model, placement)


def _with_progress(
    model: 'IteRPrimE', job: 'BagJob', new_tracker: 'Callable[[], Tracker] | None'
) -> 'BagSummary':
    from tqdm import tqdm

    from iterprime_ros.bag_files.answer_bag import answer_bag

    bar = tqdm(total=job.image_count or None, unit='image', disable=None)
    with bar, _noted_interrupt() as is_interrupted:
        return answer_bag(model, job, new_tracker, bar.update, is_interrupted)


@contextmanager
def _noted_interrupt() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether Ctrl-C was pressed: the bag in the making is removed then."""
    before = signal.getsignal(signal.SIGINT)
    pressed: list[bool] = []
    if callable(before):  # it is ignored in the background, for example
        signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def _report(job: 'BagJob', summary: 'BagSummary') -> int:
    """Print what became of a bag, and return the exit code."""
    code = FOUND
    for command, states in zip(job.commands, summary.states, strict=True):
        answers = ', '.join(f'{state} in {count}' for state, count in states.most_common())
        say(f'{job.source}: "{command}" is {answers} of {summary.images} images.')
        if not any(states[each] for each in _FOUND_STATES):
            code = NOT_FOUND
    for problem in summary.problems:
        complain(problem)
    complain(f'Written: {job.target}')
    return WRONG_USE if summary.problems else code
