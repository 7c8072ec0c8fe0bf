"""An outcome for tests to vary."""

from iterprime_ros.evaluation.metrics import Outcome

BASE = Outcome(
    image_id='0',
    group='attributes',
    command='the mug',
    status='found',
    match_probability=0.9,
    intersection=0,
    union=1,
    has_target=True,
    is_rejected=False,
    tags={'kind': 'mug'},
)
