"""The profile lavis from end to end: full-size checkpoints, the spaCy pipeline that ships."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from iterprime_ros.answer import Status
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import load_profile

PHOTO = Path(__file__).parent.parent / 'docs' / 'table.png'
COMMAND = 'the red mug left of the blue ball'


@pytest.fixture(scope='module')
def folder(blip_itm, vocabulary, tmp_path_factory):
    """A folder with a BLIP and a SAM in the files that the profile names, and the tokenizer."""
    from segment_anything import sam_model_registry

    folder = tmp_path_factory.mktemp('weights')
    (folder / 'bert-base-uncased').symlink_to(vocabulary)
    named = load_profile('lavis')
    torch.save({'model': blip_itm.state_dict()}, folder / named.matcher.weights)
    torch.manual_seed(0)
    torch.save(sam_model_registry['vit_b']().state_dict(), folder / named.masks.weights)
    yield folder
    for path in folder.glob('*.pth'):
        path.unlink()


def write_profile(path, by):
    """Write the profile lavis for random weights, which match nothing, and draw noise."""
    fields = {
        'base': 'lavis',
        'grounding': {'rounds': 2},
        'objects': {'grid': 2, 'min_predicted_iou': 0.0},
        'answer': {'by': by, 'match_threshold': 0, 'ambiguity_margin': 0, 'max_components': 10**6},
    }
    path.write_text(yaml.safe_dump(fields))
    return path


def test_the_command_answers_with_a_mask(folder, tmp_path):
    """In the working directory of the weights, as LAVIS looks for its tokenizer."""
    profile = write_profile(tmp_path / 'heatmap.yaml', 'heatmap')
    mask = tmp_path / 'mask.png'
    arguments = [str(PHOTO), COMMAND, '--profile', str(profile), '--mask', str(mask), '--offline']
    answer = subprocess.run(
        [Path(sys.executable).with_name('iterprime'), 'segment', *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert f'Found "{COMMAND}"' in answer.stdout
    with Image.open(mask) as written, Image.open(PHOTO) as photo:
        assert written.size == photo.size
        assert np.asarray(written).any()


def test_part_by_part(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    pipeline = IteRPrimE.from_profile(write_profile(tmp_path / 'parts.yaml', 'parts'), 'cpu', True)
    with Image.open(PHOTO) as photo:
        answer = pipeline.segment(np.asarray(photo.convert('RGB')), COMMAND)
    assert answer.status in (Status.FOUND, Status.NOT_FOUND, Status.AMBIGUOUS)
    assert answer.parts is not None
    assert answer.heatmap.shape == answer.mask.shape
    assert answer.heatmap.max() > 0
    assert answer.mask.any() == answer.status.has_mask
