"""Commands about rendered tabletop scenes, with exact masks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.dataset import Question, Sample, chosen_split
from iterprime_ros.sim.expressions import Stratum, sample_command, sample_expression
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import CALIBRATION, HELD_OUT
from iterprime_ros.sim.view import view_of

WIDTH, HEIGHT = 640, 480
SPLITS = {'held-out': HELD_OUT, 'calibration': CALIBRATION}
DEFAULT_SCENES = 600


@dataclass(frozen=True)
class Tabletop:
    """Rendered scenes, each with at most one question of every group.

    The groups are 'attributes', 'place', 'relation' and 'absent'. The tags are the 'kind' of the
    target (mug, plate, ...) and the 'spatial term' of the expression (leftmost, behind, ...).

    split: a key of SPLITS.
    seeds: of the scenes.
    """

    split: str
    seeds: range

    @property
    def provenance(self) -> str:
        """The range of seeds."""
        return f'scenes {self.seeds[0]} to {self.seeds[-1]}'

    def __len__(self) -> int:
        return len(self.seeds)

    def __iter__(self) -> Iterator[Sample]:
        with Renderer(WIDTH, HEIGHT) as renderer:
            for seed in self.seeds:
                yield _sample(renderer, seed)


def load_tabletop(split: str | None = None, limit: int | None = None) -> Tabletop:
    """Return the first scenes of a split.

    split: a key of SPLITS; held-out by default.
    limit: number of scenes; DEFAULT_SCENES by default.

    Raises InvalidSettingError for an unknown split or more scenes than it has.
    """
    name = chosen_split('tabletop', tuple(SPLITS), split)
    count = DEFAULT_SCENES if limit is None else limit
    available = len(SPLITS[name])
    if not 0 < count <= available:
        raise InvalidSettingError(
            f'The {name} split of the tabletop has {available} scenes: the limit must be from 1 '
            f'to {available}, not {count}.'
        )
    return Tabletop(name, SPLITS[name][:count])


def _sample(renderer: Renderer, seed: int) -> Sample:
    rng = np.random.default_rng([seed, 17])
    picture = renderer.render(sample_scene(seed))
    view = view_of(picture)
    questions = []
    for stratum in Stratum:
        drawn = sample_expression(rng, view, stratum)
        if drawn is None:
            continue
        phrase, target = drawn.phrase, drawn.target
        spatial_term = phrase.place or phrase.relation
        tags = {'spatial term': spatial_term.value if spatial_term else 'none'}
        if target is not None:
            tags = {'kind': view.objects[target - 1].kind, **tags}
        questions.append(
            Question(
                command=sample_command(rng, drawn.text).text,
                expression=drawn.text,
                group=stratum.value,
                target_mask=None if target is None else picture.ids == target,
                tags=tags,
            )
        )
    return Sample(str(seed), picture.rgb, tuple(questions))
