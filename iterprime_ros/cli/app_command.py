"""What `iterprime app` does: serve the page until Ctrl-C."""

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from iterprime_ros.cli.interrupts import exit_on_interrupt
from iterprime_ros.cli.standard_streams import complain, quieten_the_hub, say

if TYPE_CHECKING:
    import socket

    from iterprime_ros.app.desk import Desk


def serve_app(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C or SIGTERM, and return the exit code.

    Raises an IterprimeError where it cannot be served.
    """
    with exit_on_interrupt():
        desk, listening = _prepared(options)
    from iterprime_ros.app.server import serve

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        serve(
            desk,
            listening,
            options.host,
            lambda address: say(f'Open {address} in a browser; Ctrl-C ends.'),
        )
    except KeyboardInterrupt:
        # Python would wait at its end for a model that is being loaded.
        sys.stdout.flush()
        os._exit(0)
    return 0


def _prepared(options: argparse.Namespace) -> 'tuple[Desk, socket.socket]':
    """Return the loaded models and the socket, before there is anything to remove."""
    from iterprime_ros.app.server import check_gradio, is_local, listen

    check_gradio()
    listening = listen(options.host, options.port)
    if not is_local(options.host):
        complain(
            f'Everyone in the network who can reach {options.host} can use this page and this '
            'machine through it.'
        )
    quieten_the_hub()
    from iterprime_ros.app.desk import Desk
    from iterprime_ros.app.profile_choice import offered_profiles

    desk = Desk(offered_profiles(options.profile), options.device)
    if desk.table_remark:
        complain(desk.table_remark)
    return desk, listening


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
