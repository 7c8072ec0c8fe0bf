"""An outcome for tests to vary."""

from iterprime_ros.evaluation.metrics import Asked, Outcome

BASE = Outcome(
    image_id='0',
    group='attributes',
    command='the mug',
    asked=Asked.ONE,
    status='found',
    match_probability=0.9,
    intersection=0,
    union=1,
    tags={'kind': 'mug'},
)
