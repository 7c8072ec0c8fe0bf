"""What `iterprime bag` does: answer commands on the images of a bag, into a copy of it."""

import argparse
from typing import TYPE_CHECKING

from iterprime_ros.cli.bag_folder_command import answer_bag_folder
from iterprime_ros.cli.bag_report import exit_code_of, report_bag
from iterprime_ros.cli.exit_codes import INTERRUPTED
from iterprime_ros.cli.interrupts import exit_on_interrupt, noted_interrupt
from iterprime_ros.cli.ray_arguments import worker_options
from iterprime_ros.cli.standard_streams import complain, quieten_the_hub
from iterprime_ros.errors import InvalidSettingError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from iterprime_ros.bag_files.answer_bag import BagSummary
    from iterprime_ros.bag_files.bag_job import BagJob
    from iterprime_ros.pipeline import IteRPrimE
    from iterprime_ros.tracking.tracker import Tracker


@exit_on_interrupt()
def answer_bag_images(options: argparse.Namespace) -> int:
    """Answer what the arguments of `iterprime bag` ask, and return the exit code.

    Raises an IterprimeError where they cannot be used together, or name what cannot be used.
    """
    workers = worker_options(options)
    from iterprime_ros.bag_files.bag_folder import bags_of_folder
    from iterprime_ros.bag_files.bag_job import plan_bag

    bags = bags_of_folder(options.bag)
    if bags:
        return answer_bag_folder(options, bags, workers)
    if workers:
        raise InvalidSettingError(
            f'{options.bag} is no folder of bags, which --ray divides: leave --ray out.'
        )
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
    new_tracker = None
    if options.track:
        from iterprime_ros.bag_files.bag_worker import tracker_maker

        new_tracker = tracker_maker(model, options.profile, options.device, options.offline)
    try:
        summary = _with_progress(model, job, new_tracker)
    except StoppedError:
        return INTERRUPTED
    report_bag(job, summary)
    return exit_code_of(summary)


def _with_progress(
    model: 'IteRPrimE', job: 'BagJob', new_tracker: 'Callable[[], Tracker] | None'
) -> 'BagSummary':
    from tqdm import tqdm

    from iterprime_ros.bag_files.answer_bag import answer_bag

    bar = tqdm(total=job.image_count or None, unit='image', disable=None)
    with bar, noted_interrupt() as is_interrupted:
        return answer_bag(model, job, new_tracker, bar.update, is_interrupted)
