"""The options that the training commands of the image models share, and how the commands exit."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from iterprime_ros.errors import IterprimeError


def training_parser(
    name: str, description: str, example: str, batch_size: int
) -> argparse.ArgumentParser:
    """Return the parser of `python -m iterprime_ros.training.NAME` with the shared options.

    name: the last part of the module's name.
    description: text of the help, printed as it is.
    example: options of an example call.
    batch_size: default of --batch.
    """
    parser = argparse.ArgumentParser(
        prog=f'python -m iterprime_ros.training.{name}',
        description=description,
        epilog=f'example: python -m iterprime_ros.training.{name} {example}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--scenes',
        type=Path,
        required=True,
        help='folder of rendered scenes; missing ones are rendered',
    )
    parser.add_argument(
        '--scene-count', type=int, default=17408, help='number of scenes (default: %(default)s)'
    )
    parser.add_argument(
        '--out', type=Path, required=True, help='folder for checkpoints, logs and the model'
    )
    parser.add_argument(
        '--batch', type=int, default=batch_size, help='images per step (default: %(default)s)'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of data and weights (default: %(default)s)'
    )
    parser.add_argument(
        '--device',
        default='cuda' if torch.cuda.is_available() else 'cpu',
        help='cpu or cuda (default: cuda if available)',
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=1,
        help='processes that prepare batches (default: %(default)s)',
    )
    return parser


def run_training(train: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> int:
    """Run `train(options)`; return the exit status and report an error or Ctrl-C on stderr."""
    try:
        train(options)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f'Interrupted; the same command resumes from the last checkpoint in {options.out}.',
            file=sys.stderr,
        )
        return 130
    return 0
