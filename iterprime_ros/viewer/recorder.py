"""Where answers are logged to: a file, or a page in the browser."""

import math
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from iterprime_ros.errors import InvalidSettingError, UnwritableError
from iterprime_ros.viewer.layout import HEATMAPS, WORLD, Layout, blueprint
from iterprime_ros.viewer.pictures import mask_classes
from iterprime_ros.viewer.server import ViewerServer, require_rerun

MEMORY_LIMIT = '1GiB'
SUFFIX = '.rrd'
_CHECK_PERIOD = 1.0  # seconds between looks whether the page is still served
Timeline = Literal['answer', 'video', 'stamp']


class Recorder:
    """A recording of Rerun, and where it goes.

    timeline: answer, counted from 0; video, in seconds; or stamp, of a camera's images.
    file: the .rrd file to write; None: a page in the browser.
    memory_limit, web_port: of the page; see ViewerServer.

    Raises InvalidSettingError for a file of another name, UnwritableError, and the errors of
    ViewerServer.
    """

    def __init__(
        self,
        timeline: Timeline,
        file: Path | None = None,
        memory_limit: str = MEMORY_LIMIT,
        web_port: int = 0,
    ) -> None:
        require_rerun()
        import rerun

        if file is not None:
            check_file(file)
        self._timeline = timeline
        self._layout = Layout(timeline)
        self._curves: set[str] = set()
        self.stream: rerun.RecordingStream = rerun.RecordingStream('iterprime')
        self._server: ViewerServer | None = None
        if file is None:
            self._server = ViewerServer(memory_limit, web_port)
            self.stream.connect_grpc(self._server.data_url)
        else:
            _make_writable(file)
            self.stream.save(file)
        self.stream.log(WORLD, rerun.ViewCoordinates.RDF, static=True)
        self.stream.log('/', mask_classes(), static=True)
        self.stream.send_blueprint(blueprint(self._layout))

    @property
    def url(self) -> str:
        """The page to open in a browser; '' for a file."""
        return self._server.page_url if self._server else ''

    def at(self, moment: float) -> None:
        """Set the time of what this thread logs from now on.

        moment: the number of the answer, seconds of the video, or the stamp in nanoseconds.
        """
        if self._timeline == 'answer':
            self.stream.set_time('answer', sequence=int(moment))
        elif self._timeline == 'video':
            self.stream.set_time('video', duration=moment)
        else:
            import numpy as np

            self.stream.set_time('stamp', timestamp=np.datetime64(int(moment), 'ns'))

    def show(self, heatmaps: Iterable[str] = (), distance: float | None = None) -> None:
        """Give a place on the page to what is logged for the first time.

        heatmaps: names of heatmaps.
        distance: of the scene in 3D from the camera, in metres; None where nothing is in 3D.

        Where all have one already, the page stays as its user arranged it.
        """
        wanted = self._layout.joined(heatmaps, distance)
        if wanted != self._layout:
            self._layout = wanted
            self.stream.send_blueprint(blueprint(wanted))

    def replace_heatmaps(self, names: Iterable[str]) -> None:
        """Clear the heatmaps that were logged before, and give a place to those with names."""
        import rerun

        for name in set(self._layout.heatmaps).difference(names):
            self.stream.log(f'{HEATMAPS}/{name}', rerun.Clear(recursive=True))
        self.show(heatmaps=names)

    def plot(self, entity: str, values: Mapping[str, float]) -> None:
        """Log a value of each of several curves in a plot; NaN is left out.

        values: by the name of the curve, which is part of the name of its entity.
        """
        import rerun

        for name, value in values.items():
            curve = f'{entity}/{name.replace(" ", "_")}'
            if math.isnan(value):
                continue
            if curve not in self._curves:  # the server never drops what is static
                self._curves.add(curve)
                # A curve of one value has no line.
                style = rerun.SeriesLines(names=name), rerun.SeriesPoints(names=name)
                self.stream.log(curve, *style, static=True)
            self.stream.log(curve, rerun.Scalars(value))

    def check(self) -> None:
        """Raise UnwritableError where nothing is shown any more."""
        if self._server and not self._server.is_running:
            raise UnwritableError('The server of the page has ended, so nothing is shown any more.')

    def wait(self, tell: Callable[[], None]) -> None:
        """Wait for Ctrl-C, while the page is looked at; a file needs no waiting.

        tell: called once everything is sent to the page, and Ctrl-C ends the waiting.

        Raises UnwritableError where the page ends before.
        """
        if self._server is None:
            return
        self.stream.flush()
        ended = threading.Event()
        before = signal.signal(signal.SIGINT, lambda *_: ended.set())
        try:
            tell()
            while not ended.wait(_CHECK_PERIOD):
                self.check()
        finally:
            signal.signal(signal.SIGINT, before)

    def close(self) -> None:
        """Write what is still to be written, and end the page."""
        with suppress(Exception):  # of a server that has ended already
            self.stream.flush(timeout_sec=10)
        self.stream.disconnect()
        if self._server:
            self._server.close()


def check_file(file: Path) -> None:
    """Raise InvalidSettingError unless a file is named as recordings are."""
    if file.suffix != SUFFIX:
        raise InvalidSettingError(
            f'Recordings are {SUFFIX} files, and {file} is none: name it so, or put --look last to '
            'open the browser.'
        )


def open_browser(url: str) -> bool:
    """Open a page in the user's browser, and return whether there is one."""
    has_screen = any(os.environ.get(name) for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'BROWSER'))
    if sys.platform.startswith('linux') and not has_screen:
        return False  # else a browser in the terminal would open
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False


def _make_writable(file: Path) -> None:
    """Make an empty file. Raises UnwritableError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b'')
    except OSError as error:
        raise UnwritableError(f'Cannot write {file}: {error.strerror or error}.') from error
