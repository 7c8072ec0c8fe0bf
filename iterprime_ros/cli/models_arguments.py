"""The arguments of `iterprime models` and its help."""

import argparse
from collections.abc import Callable


def add_models(
    commands: argparse._SubParsersAction,
    list_models: Callable[[argparse.Namespace], int],
    fetch_models: Callable[[argparse.Namespace], int],
) -> None:
    """Add the subcommand with an action for each function, which returns the exit code."""
    models = commands.add_parser(
        'models',
        help='list the profiles, or fetch the weights of one',
        description='A profile names models and settings.',
    )
    actions = models.add_subparsers(metavar='ACTION', required=True)
    listing = actions.add_parser('list', help='show every profile and its weights')
    listing.set_defaults(run=list_models)
    fetching = actions.add_parser('fetch', help='download the weights of a profile from the hub')
    fetching.add_argument(
        'profile',
        metavar='PROFILE',
        help='a name, a YAML file, or the id of one model on '
        'the hub, as in openai/clip-vit-base-patch32 (for --baseline gl-clip)',
    )
    fetching.set_defaults(run=fetch_models)
