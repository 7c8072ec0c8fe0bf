"""The command `iterprime`."""

from iterprime_ros.cli.command_line import main as main
