"""The arguments of `iterprime demo` and its help."""

import argparse
from collections.abc import Callable
from pathlib import Path

from iterprime_ros.cli.argument_types import whole_number
from iterprime_ros.cli.look_output import add_look

_MOTIONS = ('orbit', 'shake', 'push', 'swap', 'occlude', 'leave')  # of sim.motion, a slow import
_EXAMPLES = """\
examples:
  iterprime demo --seed 7 --out scene.png
      sends three commands about scene 7 and draws the answers
  iterprime demo --interactive
      Scene 2, from left to right: small purple cube, large blue cube, ...
      > pick up the red cube
      "pick up the red cube": found, chance 1.00, IoU 0.96 with the large red cube, ...
      > the cube behind the mug
      "the cube behind the mug": not found. There are four cubes, but no mug for them to be
      behind ...
      > next
  echo "the red cube" | iterprime demo --interactive
      reads the commands from a pipe
  iterprime demo --watch "the red cube" --out live.png
      updates live.png about once a second; open it in a viewer that reloads the file
  iterprime demo --pick --voice
      a gripper lifts the white mug that is meant: out/pick.gif
  iterprime demo --pick "grab the purple cylinder" "the right one" --seed 1
      says a command, and the second sentence in reply to the question back
  iterprime demo --watch --motion orbit
      the camera goes round the table; the command is about an object of the first image
  iterprime demo --watch --motion orbit --look
      shows all of it in Rerun, in the browser

printed about each answer:
  chance          probability that the best object is what is referred to, in [0, 1]
  text            unless one object was found: what is missing, or tells several apart
  IoU             overlap of the mask with the true mask of the object that the command
                  refers to or, if the command leaves that open, of the one it covers
  centroid error  distance from the true centroid of the object's visible surface,
                  where the node had a depth image
  ms              time from the image's arrival in the node to the answer

exit code:
  0 done (--interactive, --watch: also after Ctrl-C), 1 failed, 2 wrong use or no ROS 2
"""


def add_demo(
    commands: argparse._SubParsersAction, run: Callable[[argparse.Namespace], int]
) -> None:
    """Add the subcommand; `run` takes the parsed arguments and returns the exit code."""
    demo = commands.add_parser(
        'demo',
        help='run a simulated camera and the node over ROS 2, and draw the answers',
        description='Starts a simulated RGB-D camera and the segment node, and sends three\n'
        'commands over ROS 2: one names attributes, one a relation if the scene allows\n'
        'one, and one an object that is not in the scene. Prints each answer, compared\n'
        "with the simulator's ground truth, and draws all of them in one picture: above,\n"
        'the mask in green and the true outline in white; below, the heatmap.\n\n'
        'With --interactive you type the commands. With --watch one command runs on\n'
        'every frame that the node can process. With --pick a simulated\n'
        'gripper lifts what is found, and an animated picture shows it.',
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mode = demo.add_mutually_exclusive_group()
    mode.add_argument(
        '--interactive',
        action='store_true',
        help='read commands from the terminal or a pipe and answer each; "next" shows the next '
        'scene; an empty line, Ctrl-D or Ctrl-C ends',
    )
    mode.add_argument(
        '--watch',
        nargs='?',
        const='',
        metavar='COMMAND',
        help='run COMMAND on every frame the node can process, until Ctrl-C; without COMMAND, one '
        'that refers to an object of the scene',
    )
    mode.add_argument(
        '--pick',
        nargs='*',
        metavar=('COMMAND', 'REPLY'),
        help='have a simulated gripper pick what COMMAND refers to; each REPLY answers a question '
        'back; without COMMAND, one about an object of the scene',
    )
    demo.add_argument(
        '--voice',
        action='store_true',
        help='with --pick, speak: espeak-ng makes the sound, and the node listen understands it',
    )
    demo.add_argument(
        '--seed',
        type=whole_number(0, 2**31 - 1),
        help='number of the scene, 0 to 2147483647 (default: 2; with --pick 143)',
    )
    demo.add_argument(
        '--out',
        type=Path,
        help='PNG file to write (default: out/demo.png), with --pick a GIF (default: out/pick.gif)',
    )
    demo.add_argument(
        '--motion',
        choices=_MOTIONS,
        help='with --watch, what moves: the camera round the table (orbit) or in a hand (shake), '
        'objects that are pushed (push) or exchanged (swap), something that hides the target '
        '(occlude), or the target out of the image and back (leave)',
    )
    add_look(demo)
    demo.set_defaults(run=run)
