"""The frames of a clip of the simulated camera: rendered little by little, then played."""

from typing import Any

from iterprime_ros.sim.motion import RATE_HZ, Clip
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.truth import truth_of

MAX_PIXELS = 1920 * 1080  # of an image of a clip, whose 90 frames then take 2 GB


class ClipPlayer:
    """Keeps the pictures of a clip, and says which of them is due.

    The first picture is due until all are rendered. Then the clip plays forwards and backwards in
    turns, at its own pace, so that nothing jumps: from its start when `due` is next called.

    renderer: draws the pictures, the first at once.
    clip: what is drawn.
    """

    def __init__(self, renderer: Renderer, clip: Clip) -> None:
        self.clip = clip
        self._renderer = renderer
        self._pictures: list[Picture] = []
        self._truths: list[dict[str, Any]] = []
        self._started_at: int | None = None
        self.render_next()

    @property
    def is_complete(self) -> bool:
        """Whether all pictures are rendered."""
        return len(self._pictures) == len(self.clip.scenes)

    def render_next(self) -> None:
        """Render one more picture, unless all are."""
        if not self.is_complete:
            picture = self._renderer.render(self.clip.scenes[len(self._pictures)])
            self._pictures.append(picture)
            self._truths.append(truth_of(picture))

    def due(self, now: int) -> int:
        """Return the number of the frame that is due at a time in nanoseconds."""
        if not self.is_complete:
            return 0
        if self._started_at is None:
            self._started_at = now
        return frame_at(now - self._started_at, len(self._pictures))

    def picture(self, frame: int) -> Picture:
        """Return the picture of a frame that was due."""
        return self._pictures[frame]

    def truth(self, frame: int, stamp: int) -> dict[str, Any]:
        """Return the ground truth of a frame, ready for json.dumps.

        stamp: of the frame's messages, in nanoseconds.

        Returns what `truth_of` does, and `stamp`, `frame`, `motion`, `expression`, `command`,
        `target` and `look_alikes`, those of the clip.
        """
        clip = self.clip
        return {
            **self._truths[frame],
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
