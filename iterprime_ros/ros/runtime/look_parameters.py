"""The parameters of the node look."""

from iterprime_ros.ros.runtime.parameters import (
    LIVE_PARAMETERS,
    MODEL_PARAMETERS,
    ParameterSpec,
)
from iterprime_ros.viewer.recorder import MEMORY_LIMIT

_SAME = ('image_transport', 'use_depth', 'reliability', 'rectified')  # as of the node segment

LOOK_PARAMETERS = {
    'camera': ParameterSpec('', 'Name of the camera, of those of the node segment.'),
    **{name: MODEL_PARAMETERS[name] for name in _SAME},
    'depth_tolerance': LIVE_PARAMETERS['depth_tolerance'],
    'web_port': ParameterSpec(
        0, 'Port of the page; 0: 9090, or another where that is taken.', (0, 65535)
    ),
    'memory_limit': ParameterSpec(
        MEMORY_LIMIT, 'Memory for what the page can still show, as 1GiB; the oldest is dropped.'
    ),
    'open_browser': ParameterSpec(False, 'Open the page in the browser.'),
    'file': ParameterSpec('', 'The .rrd file to write; a page is served if empty.'),
}
