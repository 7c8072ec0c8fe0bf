"""The demo pairs the frames of the simulated camera with their ground truth."""

import numpy as np

from iterprime_ros.demo.scene_subscriber import SceneSubscriber
from iterprime_ros.sim.motion import Motion, render_clip, sample_clip
from iterprime_ros.sim.view import view_of


def test_each_frame_of_a_moving_scene_has_its_own_view(peer, start_node, small_renderer):
    scene = SceneSubscriber(peer)
    pictures = list(render_clip(small_renderer, sample_clip(4, Motion.SWAP)))
    start_node('sim_camera', width=160, height=120, seed=4, motion='swap', rate=30.0)
    seen = {}

    def has_moved():
        if scene.is_ready:
            seen[scene.stamp] = scene.at(scene.stamp)
        return len({frame.ids.tobytes() for frame, _ in seen.values()}) >= 6

    peer.wait_for(has_moved, 'six different frames')
    assert scene.at(1) is None
    assert scene.seed == 4
    for stamp, (frame, view) in seen.items():
        assert scene.is_current(stamp)
        alike = [
            picture
            for picture in pictures
            if np.array_equal(picture.depth, frame.depth) and np.array_equal(picture.rgb, frame.rgb)
        ]
        assert any(view.objects == view_of(picture).objects for picture in alike)
    last = max(seen)
    assert np.array_equal(scene.at(last)[0].ids, seen[last][0].ids)


def test_any_stamp_is_that_of_a_still_scene(peer, start_node):
    scene = SceneSubscriber(peer)
    assert scene.at(1) is None
    start_node('sim_camera', width=160, height=120, seed=4)
    peer.wait_for(lambda: scene.is_ready, 'a frame')
    frame, view = scene.at(1)
    assert np.array_equal(frame.ids, scene.frame.ids)
    assert view is scene.view
