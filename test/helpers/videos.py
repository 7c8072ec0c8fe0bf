"""Small videos of a picture that moves."""

import struct

import cv2
import numpy as np


def moved(picture, count, step=2):
    """Return `count` frames (h, w, 3) uint8 RGB: a window that moves right and down a picture."""
    height, width = (side - step * count for side in picture.shape[:2])
    return [
        np.ascontiguousarray(picture[step * n : step * n + height, step * n : step * n + width])
        for n in range(count)
    ]


def write_video(path, frames, codec='mp4v', rate=25.0):
    """Write RGB frames of one size, or of several, as a video and return its path."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), rate, (width, height)
    )
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()
    return path


def turn(path, degrees):
    """Make an MP4 say that it is to be shown turned clockwise, as phones do."""
    # ISO/IEC 14496-12, 8.3.2: in a tkhd box of version 0 the matrix follows 40 bytes after the
    # name, as nine numbers of which the first two in each row of three are 16.16.
    data = bytearray(path.read_bytes())
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = [cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30]
    struct.pack_into('>9i', data, data.index(b'tkhd') + 44, *matrix)
    path.write_bytes(data)
