"""The arguments of `iterprime datasets` and its help."""

import argparse
from collections.abc import Callable

from iterprime_ros.cli.evaluation_arguments import add_data_root


def add_datasets(
    commands: argparse._SubParsersAction, run: Callable[[argparse.Namespace], int]
) -> None:
    """Add the subcommand; `run` takes the parsed arguments and returns the exit code."""
    from iterprime_ros.evaluation.datasets.sources import SOURCES

    datasets = commands.add_parser(
        'datasets',
        help='show the data sets: what to download, where it goes, and its licence',
        description='Shows which files of each data set are here, what to download, where it goes, '
        'and its licence. Nothing is downloaded.',
        epilog='examples:\n  iterprime datasets\n      all of them\n'
        '  iterprime datasets refcoco --data-root /data\n      one, with its files below /data',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    datasets.add_argument(
        'name', nargs='?', metavar='NAME', choices=list(SOURCES), help='of one data set'
    )
    add_data_root(datasets)
    datasets.set_defaults(run=run)
