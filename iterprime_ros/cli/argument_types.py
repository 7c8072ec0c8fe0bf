"""Arguments that are more than text, for argparse to read."""

import argparse
import re
from collections.abc import Callable


def intrinsics(text: str) -> tuple[float, ...]:
    """Return fx, fy, cx, cy of a text like 615,615,319.5,239.5."""
    try:
        fx, fy, cx, cy = map(float, text.split(','))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f'{text} is not four numbers with commas between them'
        ) from error
    return fx, fy, cx, cy


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of numbers between two bounds, both included."""

    def parse(text: str) -> int:
        # Neither a sign nor an underscore, nor thousands of digits, which int would refuse itself.
        if not re.fullmatch('[0-9]{1,20}', text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f'{text} is no number from {least} to {most}')
        return int(text)

    return parse


def shard(text: str) -> tuple[int, int]:
    """Return the two numbers of a text like 2/4, the first from 1 to the second."""
    parts = text.split('/')
    parse = whole_number(1, 10**6)
    if len(parts) != 2:
        raise argparse.ArgumentTypeError(f'{text} is not two numbers with / between them')
    number, total = map(parse, parts)
    if number > total:
        raise argparse.ArgumentTypeError(f'{text}: there are {total} shards, counted from 1')
    return number, total
