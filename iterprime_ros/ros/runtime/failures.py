"""Why a request has no answer, or an answer no position."""

import traceback
from dataclasses import dataclass

from rclpy.impl.rcutils_logger import RcutilsLogger

from iterprime_ros.msg import ReferredObject


@dataclass(frozen=True)
class JobFailure:
    """Why a job has no answer.

    status: one of ReferredObject's.
    text: one sentence.
    cause: the exception, where it was not expected.
    keeps_track: whether the request has a track, which goes on with the next image.
    """

    status: int
    text: str
    cause: Exception | None = None
    keeps_track: bool = False


def unexpected_failure(error: Exception) -> JobFailure:
    """Return the failure of an error that was not expected."""
    first = (str(error).strip() or 'no reason given').splitlines()[0]
    return JobFailure(ReferredObject.ERROR, f'{type(error).__name__}: {first}', error)


def log_cause(log: RcutilsLogger, failure: JobFailure) -> None:
    """Log the traceback of a failure that was not expected."""
    if failure.cause is not None:
        trace = ''.join(traceback.format_exception(failure.cause))
        log.error(f'Unexpected error while answering:\n{trace}')
