"""OpenCV and its FFmpeg, kept from writing to standard error."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

# FFmpeg's AV_LOG_QUIET. OpenCV reads it once, before it opens the first video.
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')


@contextmanager
def without_log() -> Iterator[None]:
    """Let nothing be logged, as OpenCV does for every codec that it lacks."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
