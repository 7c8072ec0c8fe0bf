"""The first frame of a clip: a scene, an object of it that is told apart by words, look-alikes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from numpy.random import Generator

from iterprime_ros.sim.expressions import (
    ReferringExpression,
    Stratum,
    sample_command,
    sample_expression,
)
from iterprime_ros.sim.framing import estimated_view
from iterprime_ros.sim.objects import SceneObject
from iterprime_ros.sim.phrase_sampling import choice
from iterprime_ros.sim.placement import place_another
from iterprime_ros.sim.scene import MAX_OBJECTS, Scene, World, sample_scene

_TRIES = 30  # expressions
_STRATA = (
    Stratum.ATTRIBUTES,
    Stratum.PLACE,
    Stratum.RELATION,
    Stratum.NESTED,
    Stratum.ORDINAL,
    Stratum.BETWEEN,
    Stratum.SUPPORT,
    Stratum.NEGATED,
    Stratum.SIZE_ORDER,
)
# The estimates of what is visible are off by some percent, and what is referable must be so.
_MIN_VISIBLE = 0.75
_MIN_IMAGE = 0.006


@dataclass(frozen=True)
class Opening:
    """What a clip begins with.

    scene: frame 0, with at most MAX_OBJECTS - 1 objects.
    expression: means one object of it; all objects that it names are well visible.
    command: contains the expression.
    target: id of the object that is meant.
    look_alikes: ids of the objects of the target's kind, colour, size, shape and shade.
    """

    scene: Scene
    expression: ReferringExpression
    command: str
    target: int
    look_alikes: tuple[int, ...]


def sample_opening(
    rng: Generator, scene_seed: int, world: World, with_copy: bool
) -> Opening | None:
    """Draw an opening in a scene; None if the draw fails, which is no rare thing.

    with_copy: an object is added that looks like the target.
    """
    scene = sample_scene(scene_seed, world)
    scene = replace(scene, objects=scene.objects[: MAX_OBJECTS - 2])
    if not with_copy:
        return _with_words(rng, scene, tuple(range(1, len(scene.objects) + 1)))
    model = choice(rng, [item for item in scene.objects if not _carries(item, scene.objects)])
    copy = place_another(
        rng, scene.objects, model, scene.camera, scene.surroundings, world.clearance
    )
    if copy is None:
        return None
    scene = replace(scene, objects=(*scene.objects, copy))
    return _with_words(rng, scene, (model.id, copy.id))


def look_alikes_of(target: SceneObject, objects: Sequence[SceneObject]) -> tuple[int, ...]:
    """Return the ids of the other objects with the look of an object: only their poses differ."""
    return tuple(
        other.id for other in objects if other.id != target.id and _look(other) == _look(target)
    )


def _look(item: SceneObject) -> tuple[object, ...]:
    half = None if item.shape_index is not None else item.shape.height
    return item.kind, item.colour, item.size, item.rgb, item.shape_index, half


def _carries(item: SceneObject, objects: Sequence[SceneObject]) -> bool:
    return any(other.support == item.id for other in objects)


def _with_words(rng: Generator, scene: Scene, targets: Sequence[int]) -> Opening | None:
    """Return the scene with an expression for one of `targets`."""
    view = estimated_view(scene)
    visible = [
        item.visible_fraction >= _MIN_VISIBLE and item.image_fraction >= _MIN_IMAGE
        for item in view.objects
    ]
    if not any(visible[k - 1] for k in targets):
        return None
    # The sampler takes targets and anchors among what is referable.
    cautious = replace(
        view,
        objects=tuple(
            item if is_visible else replace(item, visible_fraction=0.0)
            for item, is_visible in zip(view.objects, visible, strict=True)
        ),
    )
    for _ in range(_TRIES):
        expression = sample_expression(rng, cautious, choice(rng, _STRATA))
        number = expression.target if expression else None
        if expression is None or number is None or number not in targets:
            continue
        target = scene.objects[number - 1]
        return Opening(
            scene,
            expression,
            sample_command(rng, expression.text).text,
            target.id,
            look_alikes_of(target, scene.objects),
        )
    return None
