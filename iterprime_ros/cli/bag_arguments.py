"""The arguments of `iterprime bag` and its help."""

import argparse
from collections.abc import Callable
from pathlib import Path

from iterprime_ros.cli.argument_types import whole_number
from iterprime_ros.cli.model_choice import add_model_choice
from iterprime_ros.cli.ray_arguments import add_ray

_EXAMPLES = """\
examples:
  iterprime bag kitchen/ "the red mug" --out kitchen-answered
  iterprime bag kitchen.bag "the red mug" "the plate" --topic /camera/color/image_raw \\
      --every 10 --profile blip-sam --out kitchen-answered
  iterprime bag kitchen/ "the red mug" --track --out kitchen-tracked \\
      --topic /camera/color/image_raw --depth /camera/aligned_depth_to_color/image_raw \\
      --camera-info /camera/color/camera_info
  iterprime bag recordings/ "the red mug" --out answered/ --ray

a folder of bags:
  they are answered one by one, each into a bag of its name in OUTPUT; one that is there already is
  left as it is, so that the same command goes on after it was ended

topics that are added, with the stamp and frame of the image and its time in the bag:
  /segment/result    iterprime_ros/msg/ReferredObject, one for each COMMAND
  /segment/mask      sensor_msgs/msg/Image, mono8
  /segment/heatmap   sensor_msgs/msg/Image, 32FC1
  /segment/points, /segment/pose     with --depth, of one object that was found
  /segment/pose_with_covariance      with --depth and --track

exit code:
  0 every COMMAND was found in some image, 1 one of them was found in none, 2 wrong usage, missing
  weights, no bag, an output that cannot be written, or a damaged bag: then a sentence says how much
  could be read, and OUTPUT has that and its answers, 70 memory full or a fault of iterprime,
  130 Ctrl-C; nothing is written then. Of a folder of bags it is the greatest of their codes; what
  was written before Ctrl-C remains
"""


def add_bag(commands: argparse._SubParsersAction, run: Callable[[argparse.Namespace], int]) -> None:
    """Add the subcommand; `run` takes the parsed arguments and returns the exit code."""
    bag = commands.add_parser(
        'bag',
        help='answer commands on the images of a recorded bag, without ROS',
        description='Writes a copy of a bag with answers to each COMMAND on its images. INPUT is\n'
        'a rosbag2 (its folder, or one .mcap or .db3 file), a bag of ROS 1 (.bag), or a\n'
        'folder of such bags; OUTPUT is a rosbag2 stored as INPUT is, as MCAP where that\n'
        'is of ROS 1, or a folder of these.',
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bag.add_argument('bag', metavar='INPUT', type=Path, help='bag, or folder of bags, to read')
    bag.add_argument('command', nargs='+', metavar='COMMAND', help='"pick up the red mug"')
    bag.add_argument('--out', metavar='OUTPUT', type=Path, required=True, help='folder to write')
    bag.add_argument(
        '--topic',
        metavar='TOPIC',
        help='of the images, raw or compressed; needed where the bag has several',
    )
    bag.add_argument(
        '--depth',
        metavar='TOPIC',
        help='of depth registered to the images: 16UC1 in millimetres or 32FC1 in metres, raw or '
        'compressedDepth; needs --camera-info',
    )
    bag.add_argument(
        '--camera-info', metavar='TOPIC', help='of the calibration of the images, for --depth'
    )
    bag.add_argument(
        '--every',
        metavar='N',
        type=whole_number(1, 10**9),
        default=1,
        help='answer every N-th image, the first one first (1)',
    )
    bag.add_argument(
        '--track',
        action='store_true',
        help='look for the object of each COMMAND until it is found, and follow it from there',
    )
    add_model_choice(bag)
    add_ray(bag)
    bag.set_defaults(run=run)
