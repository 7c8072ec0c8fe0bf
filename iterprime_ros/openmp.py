"""How PyTorch's threads wait for each other; to be set before PyTorch is imported."""

import os


def wait_passively() -> None:
    """Let OpenMP threads sleep at barriers, unless the user chose otherwise.

    By default they spin, which takes the processor from what they wait for as soon as anything else
    runs: on two cores with other work a command took 500 ms and up to 5 s where it takes 150 ms so.
    """
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
