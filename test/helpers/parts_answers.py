"""Answers part by part about discs, whose chances of being something are given."""

import numpy as np
import torch

from iterprime_ros.answer import Segmentation
from iterprime_ros.answering.by_parts import answer_by_parts, frame_objects
from iterprime_ros.language.command_parser import CommandParser
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.profiles import AnswerSettings

SETTINGS = AnswerSettings(by='parts', match_threshold=0.4, ambiguity_margin=0.2)
GRID = (12, 12)


def disc(size, x, y, radius):
    """Return a mask (H, W) of a size with a disc at (x, y) in pixels."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def answer_about(command, masks, things, settings=SETTINGS, doubt=0.04, parser=None):
    """Return the answer to a command about masks of things, such as 'red mug'.

    A text fits a thing if all its words are in it, in the singular; `doubt` is the chance otherwise
    and 1 minus it the chance if so.
    """
    parsed = (parser or CommandParser.load()).parse(command)
    proposals = Proposals(torch.from_numpy(np.stack(masks)), torch.ones(len(masks)))
    objects = frame_objects(proposals, GRID, 0.5, None, None)

    def chances(text):
        words = {word.removesuffix('s') for word in text.split()} - {'object'}
        fits = [words <= {word.removesuffix('s') for word in thing.split()} for thing in things]
        return np.where(fits, 1 - doubt, doubt)

    matches = {text: chances(text) for text in parsed.phrase.texts()}
    size = masks[0].shape
    decision = answer_by_parts(parsed, matches, objects, torch.rand(GRID), size, settings)
    mask = np.zeros(size, bool)
    for each in decision.candidates[: decision.instance_count]:
        mask |= each.mask
    return Segmentation(
        decision.status,
        decision.text,
        parsed,
        mask,
        decision.heatmap.numpy(),
        decision.chance,
        'chance',
        decision.candidates,
        decision.instance_count,
        parts=decision.report,
    )
