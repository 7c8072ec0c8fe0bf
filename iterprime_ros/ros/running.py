"""Running a node from start to an orderly end."""

import signal
import sys
import threading
from collections.abc import Callable

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node


def run(make_node: Callable[[], Node], arguments: list[str]) -> int:
    """Make a node, spin it until the context ends, and return the exit code.

    SIGINT and SIGTERM end the context and nothing else: a callback that is running finishes, and no
    KeyboardInterrupt is raised inside it. A node that is done raises SystemExit with its own code.
    """
    interrupted = threading.Event()
    # rclpy's own handler ends the context and then calls the one it found in its place.
    signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    rclpy.init(args=arguments)
    node = None
    try:
        if not interrupted.is_set():
            node = make_node()
            rclpy.spin(node)
    except ExternalShutdownException:
        pass
    except ParameterException as error:
        print(error, file=sys.stderr)
        return 2
    except Exception:
        # What fails because the context has ended under it has not failed.
        if rclpy.ok():
            raise
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
