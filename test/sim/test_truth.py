"""The ground truth of a picture survives its transport as JSON."""

import json

import numpy as np

from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.truth import truth_of, view_from_truth
from iterprime_ros.sim.view import view_of


def test_the_view_is_recovered_from_the_truth(small_renderer):
    picture = small_renderer.render(sample_scene(10))
    view, recovered = view_of(picture), view_from_truth(json.loads(json.dumps(truth_of(picture))))
    assert recovered.objects == view.objects
    assert np.array_equal(recovered.gaps, view.gaps)
