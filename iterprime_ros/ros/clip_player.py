"""The frames of a clip of the simulated camera: rendered in a thread, then played."""

import threading
from typing import Any

from iterprime_ros.sim.motion import RATE_HZ, Clip
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.truth import truth_of

MAX_PIXELS = 1920 * 1080  # of an image of a clip, whose 90 frames then take 2 GB


class ClipPlayer:
    """Keeps the pictures of a clip, and says which of them is due.

    The first picture is due until all are rendered. Then the clip plays forwards and backwards in
    turns, at its own pace, so that nothing jumps: from its start when `due` is next called.

    clip: what is drawn.
    first: the picture of its first frame.
    """

    def __init__(self, clip: Clip, first: Picture) -> None:
        self.clip = clip
        self._frames = [(first, truth_of(first))]
        self._started_at: int | None = None
        self._is_closed = threading.Event()
        # MuJoCo lets other threads run while it renders.
        self._thread = threading.Thread(target=self._render_rest)
        self._thread.start()

    def close(self) -> None:
        """End the rendering of what is not rendered yet."""
        self._is_closed.set()
        self._thread.join()

    def _render_rest(self) -> None:
        height, width = self._frames[0][0].ids.shape
        with Renderer(width, height) as renderer:
            for scene in self.clip.scenes[1:]:
                if self._is_closed.is_set():
                    return
                picture = renderer.render(scene)
                self._frames.append((picture, truth_of(picture)))

    def due(self, now: int) -> int:
        """Return the number of the frame that is due at a time in nanoseconds."""
        if len(self._frames) < len(self.clip.scenes):
            return 0
        if self._started_at is None:
            self._started_at = now
        return frame_at(now - self._started_at, len(self._frames))

    def picture(self, frame: int) -> Picture:
        """Return the picture of a frame that was due."""
        return self._frames[frame][0]

    def truth(self, frame: int, stamp: int) -> dict[str, Any]:
        """Return the ground truth of a frame, ready for json.dumps.

        stamp: of the frame's messages, in nanoseconds.

        Returns what `truth_of` does, and `stamp`, `frame`, `motion`, `expression`, `command`,
        `target` and `look_alikes`, those of the clip.
        """
        clip = self.clip
        return {
            **self._frames[frame][1],
            'stamp': stamp,
            'frame': frame,
            'motion': clip.motion.value,
            'expression': clip.expression,
            'command': clip.command,
            'target': clip.target,
            'look_alikes': clip.look_alikes,
        }


def frame_at(elapsed: int, frames: int) -> int:
    """Return the frame of a clip that is played to and fro, `elapsed` nanoseconds after its start.

    frames: of the clip, at least 2.
    """
    turn = 2 * (frames - 1)
    position = elapsed * RATE_HZ // 1_000_000_000 % turn
    return min(position, turn - position)
