"""Batches of the recognition stage."""

import numpy as np
import torch

from iterprime_ros.training.matcher.recognition_batches import (
    LABELS,
    coverage,
    patch_owners,
    recognition_batch,
)
from iterprime_ros.training.scenes import HEIGHT, WIDTH


def test_every_object_patch_has_all_labels(rendered):
    batch = recognition_batch(rendered, 3, seed=0, step=0)
    labelled = torch.stack([batch[name] > 0 for name in LABELS])
    assert labelled.any()
    assert (labelled == labelled[0]).all()


def test_a_batch_depends_on_its_step_alone(rendered):
    first, again, other = (recognition_batch(rendered, 3, seed=0, step=k) for k in (5, 5, 6))
    assert all(torch.equal(again[name], value) for name, value in first.items())
    assert not torch.equal(first['gain'], other['gain'])


def test_coverage_is_the_share_of_a_patch(rendered):
    ids = np.stack([record['ids'] for record in rendered])
    covered = coverage(ids, 16)
    height, width = HEIGHT // 16, WIDTH // 16
    for k, row, column in np.ndindex(len(ids), 16, 16):
        patch = ids[k, row * height : (row + 1) * height, column * width : (column + 1) * width]
        expected = np.bincount(patch.ravel(), minlength=covered.shape[1] + 1)[1:] / patch.size
        # Of 16 samples in a patch.
        np.testing.assert_allclose(covered[k, :, row * 16 + column], expected, atol=0.3)
    assert abs(covered.mean() - np.mean([(ids == k).mean() for k in range(1, 9)])) < 0.02


def test_a_patch_belongs_to_the_object_that_covers_most_of_it():
    covered = np.array([[[0.2, 0.5, 0.4], [0.1, 0.4, 0.6]]], dtype=np.float32)
    assert patch_owners(covered).tolist() == [[0, 1, 2]]
