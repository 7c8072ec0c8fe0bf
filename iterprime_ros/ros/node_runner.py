"""Runs a node from start to an orderly end."""

import signal
import sys
import threading
from collections.abc import Callable

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node


def run(make_node: Callable[[], Node], arguments: list[str]) -> int:
    """Make a node, spin it until the context ends, and return the exit code.

    SIGINT and SIGTERM end the context and nothing else: a callback that is running finishes, and no
    KeyboardInterrupt is raised inside it. A node that has finished raises SystemExit with its code.
    """
    interrupted = threading.Event()
    # rclpy's own handler ends the context and then calls this one.
    signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        rclpy.init(args=arguments)
    except Exception as error:  # rclpy reports a wrong name, remapping or file by many types
        print(str(error).strip().splitlines()[0], file=sys.stderr)
        return 2
    node = None
    try:
        if not interrupted.is_set():
            executor = SingleThreadedExecutor()  # rclpy complains of one made after an interrupt
            node = make_node()
            executor.add_node(node)
            _spin(executor, interrupted)
    except ExternalShutdownException:
        pass
    except ParameterException as error:
        print(error, file=sys.stderr)
        return 2
    except Exception:
        # An error after the context has ended is no failure.
        if rclpy.ok():
            raise
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _spin(executor: SingleThreadedExecutor, interrupted: threading.Event) -> None:
    """Run callbacks until the context ends.

    rclpy wakes its executor a moment before it ends the context; an executor that checks in between
    would wait for ever, so this one checks twice a second.
    """
    while rclpy.ok() and not interrupted.is_set():
        executor.spin_once(timeout_sec=0.5)
