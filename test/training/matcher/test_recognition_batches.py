"""Batches of the recognition stage."""

import numpy as np

from iterprime_ros.training.matcher.recognition_batches import patch_owners, recognition_batch
from iterprime_ros.training.scenes import HEIGHT, WIDTH


def test_every_object_patch_has_a_kind_and_a_colour(rendered):
    batch = recognition_batch(rendered, 3, seed=0, step=0)
    assert batch['kind'].shape == batch['colour'].shape == batch['patch_indices'].shape
    assert ((batch['kind'] > 0) == (batch['colour'] > 0)).all()


def test_a_patch_belongs_to_the_object_that_covers_most_of_it(rendered):
    ids = np.stack([record['ids'] for record in rendered])
    owners = patch_owners(ids, 16).reshape(-1, 16, 16)
    height, width = HEIGHT // 16, WIDTH // 16
    correct = []
    for k, row, column in np.ndindex(owners.shape):
        patch = ids[k, row * height : (row + 1) * height, column * width : (column + 1) * width]
        covered = np.bincount(patch.ravel(), minlength=9)[1:] / patch.size
        if abs(covered.max() - 0.3) > 0.1:  # near the threshold, sampling decides
            expected = covered.argmax() + 1 if covered.max() > 0.3 else 0
            correct.append(owners[k, row, column] == expected)
    assert np.mean(correct) > 0.99
