"""Commands about rendered tabletop scenes, with exact masks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.dataset import Question, Sample, chosen_split
from iterprime_ros.sim.expressions import (
    ReferringExpression,
    Stratum,
    sample_command,
    sample_expression,
)
from iterprime_ros.sim.logical_form import Phrase
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.scene import World, sample_scene
from iterprime_ros.sim.seeds import CALIBRATION, FRESH, HELD_OUT
from iterprime_ros.sim.view import View, view_of

WIDTH, HEIGHT = 640, 480
SPLITS = {'test': FRESH, 'held-out': HELD_OUT, 'calibration': CALIBRATION}
DEFAULT_SCENES = 600


@dataclass(frozen=True)
class Tabletop:
    """Rendered scenes with depth and calibration, each with at most one question of every group.

    The groups are those of sim.expressions.Stratum: 'attributes', 'place', 'nested', .... The tags
    are the 'kind' of the target, where it is one object (mug, plate, ...), and the 'spatial term'
    of the expression (leftmost, behind, ...).

    split: a key of SPLITS.
    seeds: of the scenes, of which there is at least one.
    world: what the scenes look like.
    """

    split: str
    seeds: Sequence[int]
    world: World = World.PLAIN

    @property
    def provenance(self) -> str:
        """The range of seeds."""
        return f'scenes {self.seeds[0]} to {self.seeds[-1]} of the {self.world.value} world'

    def __len__(self) -> int:
        return len(self.seeds)

    def __iter__(self) -> Iterator[Sample]:
        with Renderer(WIDTH, HEIGHT) as renderer:
            for seed in self.seeds:
                yield _sample(renderer, seed, self.world)

    def subset(self, indices: Sequence[int]) -> 'Tabletop':
        """See dataset.Dataset."""
        return replace(self, seeds=[self.seeds[index] for index in indices])


def load_tabletop(
    split: str | None = None,
    limit: int | None = None,
    _root: Path | None = None,
    *,
    world: World = World.PLAIN,
) -> Tabletop:
    """Return the first scenes of a split.

    split: a key of SPLITS; test by default.
    limit: number of scenes; DEFAULT_SCENES by default.
    _root: of data sets on disk; scenes are rendered.
    world: what the scenes look like.

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
    return Tabletop(name, SPLITS[name][:count], world)


load_clutter = partial(load_tabletop, world=World.CLUTTER)
load_stacked = partial(load_tabletop, world=World.STACKED)
load_unseen = partial(load_tabletop, world=World.UNSEEN)


def _sample(renderer: Renderer, seed: int, world: World) -> Sample:
    rng = np.random.default_rng([seed, 17])
    picture = renderer.render(sample_scene(seed, world))
    view = view_of(picture)
    questions = []
    for stratum in Stratum:
        drawn = sample_expression(rng, view, stratum)
        if drawn:
            command = sample_command(rng, drawn.text).text
            questions.append(_question(drawn, command, picture, view))
    name = str(seed) if world is World.PLAIN else f'{world.value}-{seed}'
    return Sample(name, picture.rgb, tuple(questions), picture.depth, picture.pinhole)


def _question(drawn: ReferringExpression, command: str, picture: Picture, view: View) -> Question:
    tags = {'spatial term': _spatial_term(drawn.phrase)}
    if drawn.target is not None:
        tags = {'kind': view.objects[drawn.target - 1].kind, **tags}
    targets = sorted(drawn.targets)
    return Question(
        command=command,
        expression=drawn.text,
        group=drawn.stratum.value,
        target_mask=np.isin(picture.ids, targets) if targets else None,
        tags=tags,
        target_masks=tuple(picture.ids == target for target in targets) if targets[1:] else (),
        is_ambiguous=drawn.stratum is Stratum.AMBIGUOUS,
    )


def _spatial_term(phrase: Phrase) -> str:
    if phrase.between:
        return 'between'
    term = phrase.place or phrase.relation
    return term.value if term else 'none'
