"""What `iterprime segment --ray` does: divide the images among workers, print in their order."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from iterprime_ros.cli.exit_codes import FOUND, NOT_FOUND, WRONG_USE
from iterprime_ros.cli.in_order import in_order
from iterprime_ros.cli.interrupts import TO_GO_ON, raise_on_interrupt
from iterprime_ros.cli.standard_streams import complain, say
from iterprime_ros.errors import InvalidSettingError

if TYPE_CHECKING:
    from iterprime_ros.cluster.segment_images import AnsweredFile
    from iterprime_ros.cluster.session import WorkerOptions
    from iterprime_ros.image_files import OutputPaths


def check_cluster_options(options: argparse.Namespace) -> None:
    """Raise InvalidSettingError for arguments that do not go together with --ray, or need it."""
    if options.ray is None:
        if options.log is not None:
            raise InvalidSettingError('--log keeps the answers of workers: add --ray.')
        return
    for name in ('track', 'depth', 'intrinsics', 'look'):
        if getattr(options, name) not in (None, False):
            raise InvalidSettingError(f'--{name} is of one process: leave it out, or --ray.')
    if options.log == '':
        raise InvalidSettingError('--log is empty: name a file.')


def segment_on_cluster(
    options: argparse.Namespace,
    workers: 'WorkerOptions',
    files: Sequence[Path],
    outputs: 'OutputPaths',
) -> int:
    """Answer every command about every image, print in the order of the images; return the code.

    An image that cannot be read is reported, and the others are still answered.
    """
    from tqdm import tqdm

    from iterprime_ros.cluster.segment_images import SegmentTask
    from iterprime_ros.cluster.segmenting import segment_files
    from iterprime_ros.cluster.session import import_ray
    from iterprime_ros.profiles import load_profile

    import_ray()  # while Ctrl-C ends the process at once, which an import does not bear otherwise
    notice = load_profile(options.profile).notice
    if notice:
        complain(notice)
    commands = options.command
    of_files = [[outputs[file, n] for n in range(len(commands))] for file in files]
    task = SegmentTask(
        options.profile, 'cpu', options.offline, files, commands, of_files, Path.cwd()
    )
    log = Path(options.log) if options.log else None
    code = FOUND
    with (
        raise_on_interrupt(),
        _resumable(log),
        closing(segment_files(task, workers, log)) as results,
        tqdm(total=len(files) * len(commands), disable=None) as bar,
    ):
        for index, answered in in_order(results, lambda *_: bar.update(len(commands))):
            with bar.external_write_mode():
                code = max(code, _print(files[index], answered, of_files[index], options.json))
    return code


@contextmanager
def _resumable(log: Path | None) -> Iterator[None]:
    """Say at Ctrl-C that the run can go on, if it can."""
    try:
        yield
    except KeyboardInterrupt:
        if log:
            complain(TO_GO_ON)
        raise


def _print(
    file: Path,
    answered: 'AnsweredFile',
    outputs: Sequence[Mapping[str, Path]],
    as_json: bool,
) -> int:
    """Print the answers about an image as without --ray, and return their exit code."""
    if answered.error:
        complain(answered.error)
        return WRONG_USE
    from iterprime_ros.answer import Status

    codes = {Status.FOUND: FOUND, Status.FOUND_SEVERAL: FOUND, Status.INVALID: WRONG_USE}
    code = FOUND
    for answer, paths in zip(answered.answers, outputs, strict=True):
        if as_json:
            say(answer.report)
        else:
            say('\n  '.join([f'{file}: {answer.lines[0]}', *answer.lines[1:]]))
            if paths:
                complain(f'Written: {", ".join(map(str, paths.values()))}')
        code = max(code, codes.get(Status(answer.status), NOT_FOUND))
    return code
