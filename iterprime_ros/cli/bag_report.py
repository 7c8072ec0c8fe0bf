"""What `iterprime bag` prints about a bag that was answered."""

from typing import TYPE_CHECKING

from iterprime_ros.cli.exit_codes import FOUND, NOT_FOUND, WRONG_USE
from iterprime_ros.cli.standard_streams import complain, say

if TYPE_CHECKING:
    from iterprime_ros.bag_files.answer_bag import BagSummary
    from iterprime_ros.bag_files.bag_job import BagJob

_FOUND_STATES = ('found', 'found several', 'tracking')


def exit_code_of(summary: 'BagSummary') -> int:
    """Return the exit code of a command on a bag."""
    if summary.problems:
        return WRONG_USE
    is_found = [any(states[each] for each in _FOUND_STATES) for states in summary.states]
    return FOUND if all(is_found) else NOT_FOUND


def report_bag(job: 'BagJob', summary: 'BagSummary') -> None:
    """Print what became of a bag."""
    for command, states in zip(job.commands, summary.states, strict=True):
        answers = ', '.join(f'{state} in {count}' for state, count in states.most_common())
        say(f'{job.source}: "{command}" is {answers} of {summary.images} images.')
    for problem in summary.problems:
        complain(problem)
    complain(f'Written: {job.target}')
