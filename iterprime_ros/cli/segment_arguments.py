"""The arguments of `iterprime segment` and its help."""

import argparse
from collections.abc import Callable

from iterprime_ros.cli.argument_types import intrinsics
from iterprime_ros.cli.look_output import add_look
from iterprime_ros.cli.model_choice import add_model_choice
from iterprime_ros.cli.ray_arguments import add_ray

_EXAMPLES = """\
examples:
  iterprime segment table.png "the blue cube" --out found.png --explain why.png
  iterprime segment photo.jpg "the dog behind the fence" --profile blip-sam --mask dog.png
  iterprime segment photos/ "the red mug" "the plate" --profile blip-sam --out overlays/ --json
  iterprime segment table.png "the mug behind the plate" --depth depth.png \\
      --intrinsics 615.2,615.4,319.5,239.5
  iterprime segment video.mp4 "the red mug" --track --out tracked.mp4 --json > tracked.jsonl
  iterprime segment frames/ "the red mug" --track --out tracked.webp --mask masks/
  iterprime segment table.png "the blue cube" --look
  iterprime segment photos/ "the red mug" --mask masks/ --log answers.log --ray

outputs in a folder:
  a-0-overlay.png, a-0-mask.png, a-0-explanation.png for a.png and the first COMMAND, a-1-...
  for the second; a.png-0-overlay.png ... where an image of another suffix is called a, too

with --track:
  IMAGE is a video (.avi .m4v .mkv .mov .mp4 .webm) or a folder of frames, in the order of the
  numbers in their names, taken as 30 a second. The object of each COMMAND is looked for in
  every few frames until it is found, and followed from there: TRACKING, UNSURE or LOST.
  --out is a video (.mp4), an animated picture (.gif or .webp, at most 480 pixels wide or high,
  15 pictures a second and 600 in all) or a new folder of 000000.png ...; --mask is a new
  folder, with several COMMANDs of folders 0, 1 ...; --json prints a line for each frame

exit code:
  0 all found, one object or several, 1 something not found or ambiguous (with --track: in no
  frame), 2 wrong usage, missing weights, an image or a video that cannot be read to its end or
  an output that cannot be written, 70 memory full or a fault of iterprime, 130 Ctrl-C
"""


def add_segment(
    commands: argparse._SubParsersAction, run: Callable[[argparse.Namespace], int]
) -> None:
    """Add the subcommand; `run` takes the parsed arguments and returns the exit code."""
    segment = commands.add_parser(
        'segment',
        help='segment the object that a command refers to',
        description='Segments the object that each COMMAND refers to in IMAGE, a file or a folder\n'
        'of images, or all objects that a plural ("all the mugs") refers to, and prints\n'
        'one sentence for each. Profiles that answer part by part use depth, where it is\n'
        'given, to tell what is behind, on or next to what.',
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    segment.add_argument('image', metavar='IMAGE', help='image file or folder of images')
    segment.add_argument('command', nargs='+', metavar='COMMAND', help='"pick up the red mug"')
    add_model_choice(segment)
    what = 'PNG to write; a folder where there are several images or commands'
    segment.add_argument(
        '--out', metavar='PATH', help=f'image with each object marked in its colour, {what}'
    )
    segment.add_argument('--mask', metavar='PATH', help=f'mask, 0 and 255, {what}')
    segment.add_argument(
        '--explain', metavar='PATH', help=f'figure that explains the answer, {what}'
    )
    segment.add_argument(
        '--depth',
        metavar='FILE',
        help='depth registered to IMAGE: a 16-bit PNG in millimetres, 0 where nothing was '
        'measured; needs --intrinsics, and one image as IMAGE',
    )
    segment.add_argument(
        '--intrinsics',
        type=intrinsics,
        metavar='FX,FY,CX,CY',
        help='focal lengths and principal point of the camera, in pixels of IMAGE',
    )
    segment.add_argument(
        '--track', action='store_true', help='follow the object through a video or folder of frames'
    )
    add_look(segment)
    segment.add_argument('--json', action='store_true', help='print a line of JSON for each answer')
    add_ray(segment)
    segment.add_argument(
        '--log',
        metavar='FILE',
        help='with --ray: keep the answers in FILE, too; where it is there, the same command goes '
        'on with what it lacks',
    )
    segment.set_defaults(run=run)
