"""What the commands that train image models have in common: options, and how they end."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from iterprime_ros.errors import IterprimeError


def parser_of(name: str, description: str, example: str, batch: int) -> argparse.ArgumentParser:
    """Return the parser of `python -m iterprime_ros.training.NAME`; batch: its default size."""
    parser = argparse.ArgumentParser(
        prog=f'python -m iterprime_ros.training.{name}',
        description=description,
        epilog=f'example: python -m iterprime_ros.training.{name} {example}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--scenes', type=Path, required=True, help='folder of rendered scenes')
    parser.add_argument('--scene-count', type=int, default=20480, help='how many (default: 20480)')
    parser.add_argument('--out', type=Path, required=True, help='folder of checkpoints and model')
    parser.add_argument(
        '--batch', type=int, default=batch, help=f'images a step (default: {batch})'
    )
    parser.add_argument('--seed', type=int, default=0, help='of data and weights (default: 0)')
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu', help='cpu or cuda'
    )
    parser.add_argument(
        '--workers', type=int, default=1, help='processes that prepare batches (default: 1)'
    )
    return parser


def exit_code(train: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> int:
    """Train; say in one sentence what went wrong, or how to go on after Ctrl-C."""
    try:
        train(options)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f'Stopped; the same command goes on from the last checkpoint in {options.out}.',
            file=sys.stderr,
        )
        return 130
    return 0
