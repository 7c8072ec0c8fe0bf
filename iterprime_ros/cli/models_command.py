"""What `iterprime models` does: list the profiles, and fetch the weights of one."""

import argparse

from iterprime_ros.cli.interrupts import exit_on_interrupt
from iterprime_ros.cli.standard_streams import complain, say


@exit_on_interrupt()
def list_models(_: argparse.Namespace) -> int:
    """Print every profile and its weights, and return the exit code."""
    from iterprime_ros.profiles import DEFAULT, PROFILE_NAMES, load_profile

    for name in PROFILE_NAMES:
        each = load_profile(name)
        mark = ' (default)' if name == DEFAULT else ''
        say(f'{name}{mark}: {each.description}')
        say(f'  matcher {each.matcher.kind}: {each.matcher.weights}')
        say(f'  masks {each.masks.kind}: {each.masks.weights or "no weights"}')
        if each.tracking.weights:
            say(f'  tracking {each.tracking.kind}: {each.tracking.weights}')
    return 0


@exit_on_interrupt()
def fetch_models(options: argparse.Namespace) -> int:
    """Download the weights of a profile, and return the exit code."""
    from iterprime_ros.profiles import fetch, notice_of

    if notice := notice_of(options.profile):
        complain(notice)
    states = 0
    for source, state in fetch(options.profile):
        say(f'{source}: {state}.')
        states += 1
    if not states:
        say(f'{options.profile} needs nothing from the hub.')
    return 0
