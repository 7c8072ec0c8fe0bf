"""Answers, logged whole: in the image, as heatmaps, in 3D, as text and as plots."""

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.errors import InvalidDepthError
from iterprime_ros.explain_heatmaps import enlarged, has_word_heatmaps, round_title, word_text
from iterprime_ros.explain_objects import marked_candidates
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.surface import surface
from iterprime_ros.parse_report import draw
from iterprime_ros.spatial.grasping import grasps_of
from iterprime_ros.viewer.layout import CHANCE, HISTORY, LATENCY, TEXT
from iterprime_ros.viewer.pictures import (
    log_candidates,
    log_heatmap,
    log_image,
    log_masks,
    log_relations,
)
from iterprime_ros.viewer.recorder import Recorder
from iterprime_ros.viewer.space import (
    clear_objects,
    log_box,
    log_camera,
    log_grasps,
    log_points,
    log_scene,
)

_LEVELS = {Status.NOT_FOUND: 'WARN', Status.AMBIGUOUS: 'WARN', Status.INVALID: 'ERROR'}


def log_answer(
    recorder: Recorder,
    image: NDArray[np.uint8],
    command: str,
    answer: Segmentation,
    depth: NDArray[np.float32] | None = None,
    pinhole: Pinhole | None = None,
) -> None:
    """Log an answer with the image that it is about.

    image: (H, W, 3) uint8 RGB.
    depth: (h, w) float32 in metres, NaN where unknown, registered to the image.
    pinhole: of the image; 3D is logged where both are given.
    """
    log_image(recorder.stream, image)
    log_verdict(recorder, command, answer)
    log_heatmaps(recorder, image, answer)
    if depth is not None and pinhole is not None:
        _log_space(recorder, image, answer, depth, pinhole)


def log_verdict(recorder: Recorder, command: str, answer: Segmentation) -> None:
    """Log what was answered: masks, candidates, relations, text and plots."""
    import rerun

    stream = recorder.stream
    log_masks(stream, [answer.candidates[n].mask for n in marked_candidates(answer)])
    log_candidates(stream, answer)
    log_relations(stream, answer)
    stream.log(TEXT, rerun.TextDocument(_document(command, answer), media_type='text/markdown'))
    level = _LEVELS.get(answer.status, 'INFO')
    stream.log(HISTORY, rerun.TextLog(f'"{command}": {answer.text}', level=level))
    chances = [each.chance for each in answer.candidates[:2]]
    recorder.plot(CHANCE, dict(zip(('best', 'second'), chances, strict=False)))
    recorder.plot(CHANCE, {'match': answer.match_probability})
    recorder.plot(LATENCY, answer.milliseconds)


def log_heatmaps(recorder: Recorder, image: NDArray[np.uint8], answer: Segmentation) -> None:
    """Log the heatmap, that of every round and, unless all are flat, of every focus word.

    image: (H, W, 3) uint8 RGB.
    """
    maps = {'answer': (answer.heatmap, f'heatmap, match {answer.match_probability:.2f}')}
    for n, each in enumerate(answer.rounds):
        maps[f'round_{n}'] = enlarged(each.heatmap, image), round_title(each, n)
    words = answer.word_heatmaps if has_word_heatmaps(answer) else ()
    for n, word in enumerate(words):
        title = word_text(answer, word) + (' (primary)' if word.is_primary else '')
        maps[f'word_{n}'] = enlarged(word.heatmap, image), title
    recorder.replace_heatmaps(list(maps))
    for name, (heatmap, title) in maps.items():
        log_heatmap(recorder.stream, name, image, heatmap, title)


def _log_space(
    recorder: Recorder,
    image: NDArray[np.uint8],
    answer: Segmentation,
    depth: NDArray[np.float32],
    pinhole: Pinhole,
) -> None:
    """Log camera and scene, and each object that is meant with its points, box and grasps."""
    stream = recorder.stream
    log_camera(stream, pinhole)
    distance = log_scene(stream, image, depth, pinhole)
    recorder.show(distance=distance)
    clear_objects(stream)
    for n, each in enumerate(answer.instances):
        try:
            seen = surface(depth, each.mask, image, pinhole)
        except InvalidDepthError:
            continue  # nothing was measured on it
        log_points(stream, n, seen.points, seen.colours)
        log_box(stream, n, seen.box, f'object {n + 1}')
        found = grasps_of(each.mask, depth, pinhole, points=seen.points)
        log_grasps(stream, n, found.grasps)


def _document(command: str, answer: Segmentation) -> str:
    """Return an answer as Markdown."""
    parts = [f'**“{_plain(command)}”**', _plain(answer.text)]
    if answer.notes:
        parts.append('\n'.join(f'- {_plain(note)}' for note in answer.notes))
    if answer.command:
        parts.append(f'```\n{draw(answer.command)}\n```')
    return '\n\n'.join(parts)


def _plain(text: str) -> str:
    """Return a text on one line in which nothing is Markdown."""
    line = ' '.join(text.split())
    return ''.join(f'\\{letter}' if letter in '\\`*_[]<>#|~' else letter for letter in line)
