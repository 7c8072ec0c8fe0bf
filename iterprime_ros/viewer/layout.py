"""Where the page shows what is logged: the camera at the left, 3D at the right, plots below."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rerun.blueprint

WORLD, CAMERA, SCENE, OBJECTS = 'world', 'world/camera', 'world/scene', 'world/objects'
IMAGE, ANSWER = f'{CAMERA}/image', f'{CAMERA}/answer'
MASK, CANDIDATES, RELATIONS = f'{ANSWER}/mask', f'{ANSWER}/candidates', f'{ANSWER}/relations'
HEATMAPS, CHANCE, LATENCY = 'heatmaps', 'plots/chance', 'plots/latency'
TEXT, HISTORY = 'answer', 'history'
_BACKGROUND = (32, 34, 40)  # RGB, on which dark tables and white mugs are both seen
_EYE = (0.45, -0.4, 0.05)  # where 3D is looked at from, over the distance of the scene


@dataclass(frozen=True)
class Layout:
    """What the page has a place for.

    timeline: the one that is shown.
    heatmaps: names, in order.
    distance: of the scene in 3D from the camera, in metres; None where nothing is in 3D.
    """

    timeline: str
    heatmaps: tuple[str, ...] = ()
    distance: float | None = None

    def joined(self, heatmaps: Iterable[str], distance: float | None) -> 'Layout':
        """Return a layout that has a place for more."""
        names = tuple(dict.fromkeys((*self.heatmaps, *heatmaps)))
        place = distance if self.distance is None else self.distance
        return replace(self, heatmaps=names, distance=place)


def blueprint(layout: Layout) -> 'rerun.blueprint.Blueprint':
    """Return a layout as Rerun's blueprint."""
    import rerun.blueprint as rrb

    camera = rrb.Spatial2DView(origin=CAMERA, name='camera')
    maps = [rrb.Spatial2DView(origin=f'{HEATMAPS}/{n}', name=n) for n in layout.heatmaps]
    heatmaps = rrb.Grid(*maps, name='heatmaps')
    if layout.distance is None:
        above = rrb.Horizontal(camera, heatmaps) if maps else camera
    else:
        left = rrb.Vertical(camera, heatmaps, row_shares=[3, 2]) if maps else camera
        eye = [each * layout.distance for each in _EYE]
        space = rrb.Spatial3DView(
            origin=WORLD,
            name='3D',
            contents=['$origin/**', f'- {ANSWER}/**'],
            background=_BACKGROUND,
            line_grid=rrb.LineGrid3D(visible=False),
            eye_controls=rrb.EyeControls3D(
                position=eye, look_target=[0, 0, layout.distance], eye_up=[0, -1, 0]
            ),
        )
        above = rrb.Horizontal(left, space)
    below = rrb.Horizontal(
        rrb.TimeSeriesView(origin=CHANCE, name='chance', axis_y=rrb.ScalarAxis(range=(0.0, 1.05))),
        rrb.TimeSeriesView(origin=LATENCY, name='milliseconds'),
        rrb.Tabs(
            rrb.TextDocumentView(origin=TEXT, name='answer'),
            rrb.TextLogView(origin=HISTORY, name='all answers'),
        ),
    )
    return rrb.Blueprint(
        rrb.Vertical(above, below, row_shares=[5, 2]),
        rrb.TimePanel(timeline=layout.timeline, state='collapsed'),
        rrb.SelectionPanel(state='hidden'),
        rrb.BlueprintPanel(state='hidden'),
    )
