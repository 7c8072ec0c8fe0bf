"""Results that come in any order, in that of their inputs."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Result = TypeVar('Result')


def in_order(
    results: Iterable[tuple[int, Result]], on_result: Callable[[int, Result], object]
) -> Iterator[tuple[int, Result]]:
    """Yield positions, from 0 on, with their results, each as soon as those before it are there.

    on_result: called with the position and the result when it comes.
    """
    waiting: dict[int, Result] = {}
    following = 0
    for index, result in results:
        waiting[index] = result
        on_result(index, result)
        while following in waiting:
            yield following, waiting.pop(following)
            following += 1
