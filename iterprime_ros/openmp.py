"""How PyTorch's threads wait for each other; to be set before PyTorch is imported."""

import os

_SPINS = '10000'


def limit_spinning() -> None:
    """Let OpenMP threads spin only shortly at barriers, unless the user chose otherwise.

    By default they spin for milliseconds, which takes the processor from what they wait for as soon
    as anything else runs. On two cores with one other busy process a command of the tabletop
    profile took 240 ms and up to 573 ms; with this 156 ms and up to 181 ms. On an idle machine it
    takes 28 ms either way (sleeping at once would take 63 ms). Of these figures
    benchmarks/tabletop.py prints the idle one; the others were taken once and have no command.
    """
    if 'OMP_WAIT_POLICY' not in os.environ:
        os.environ.setdefault('GOMP_SPINCOUNT', _SPINS)
