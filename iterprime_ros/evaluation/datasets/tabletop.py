"""Questions about the simulated table, each with the mask that is the right answer."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.sim.expressions import Stratum, sample_command, sample_expression
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import CALIBRATION, HELD_OUT
from iterprime_ros.sim.view import view_of

WIDTH, HEIGHT = 640, 480
SPLITS = {'held-out': HELD_OUT, 'calibration': CALIBRATION}


@dataclass(frozen=True)
class Question:
    """A command about a scene.

    wording: the referring expression in it. kind: of the object that is meant, None where nothing
    is there. manner: the place or the relation it names, or what it names else. truth: (H, W) bool,
    the pixels of that object that are seen, None where nothing is there.
    """

    command: str
    wording: str
    stratum: Stratum
    kind: str | None
    manner: str
    truth: NDArray[np.bool_] | None


@dataclass(frozen=True)
class QuestionedScene:
    """A picture (H, W, 3) uint8 of the scene of a seed, the ids in it, and questions about it."""

    seed: int
    rgb: NDArray[np.uint8]
    ids: NDArray[np.int32]
    questions: tuple[Question, ...]


def questioned_scenes(split: str, count: int) -> Iterator[QuestionedScene]:
    """Yield the first `count` scenes of a split, each with a question of every stratum it offers.

    split: a name in SPLITS. The same scenes and questions always. Raises ValueError where the split
    has fewer scenes.
    """
    seeds = SPLITS[split]
    if not 0 < count <= len(seeds):
        raise ValueError(f'The {split} scenes are {len(seeds)}; ask for 1 to as many, not {count}.')
    with Renderer(WIDTH, HEIGHT) as renderer:
        for seed in seeds[:count]:
            yield _questioned(renderer, seed)


def _questioned(renderer: Renderer, seed: int) -> QuestionedScene:
    rng = np.random.default_rng([seed, 17])
    picture = renderer.render(sample_scene(seed))
    view = view_of(picture)
    questions = []
    for stratum in Stratum:
        found = sample_expression(rng, view, stratum)
        if found is None:
            continue
        phrase, target = found.phrase, found.target
        named = phrase.place or phrase.relation
        questions.append(
            Question(
                sample_command(rng, found.text).text,
                found.text,
                stratum,
                None if target is None else view.objects[target - 1].kind,
                named.value if named else 'attributes',
                None if target is None else picture.ids == target,
            )
        )
    return QuestionedScene(seed, picture.rgb, picture.ids, tuple(questions))
