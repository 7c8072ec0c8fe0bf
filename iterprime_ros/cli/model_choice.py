"""Which models a command answers with, and where they run."""

import argparse


def add_model_choice(parser: argparse.ArgumentParser) -> None:
    """Add --profile, --device and --offline."""
    parser.add_argument(
        '--profile',
        default='tabletop',
        help='models and settings: a name that "iterprime models list" shows, or a YAML file '
        '(tabletop)',
    )
    parser.add_argument('--device', default='auto', help='auto (default), cpu, cuda, cuda:1 ...')
    parser.add_argument(
        '--offline', action='store_true', help='never ask the hub: use only folders and its cache'
    )
