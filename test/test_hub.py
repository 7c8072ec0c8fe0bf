"""Models of a hub on loopback: found in the cache, fetched whole, repaired, and its faults."""

import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from itertools import product
from pathlib import Path

import pytest
from huggingface_hub import constants, file_download

from helpers.fake_hub import serve
from helpers.tiny_blip import WORDS, tiny_blip, tiny_tokenizer
from helpers.tiny_sams import tiny_sam
from iterprime_ros import hub as module
from iterprime_ros.cli import main
from iterprime_ros.errors import UnwritableError, WeightsNotFoundError
from iterprime_ros.hub import (
    HubUnreachableError,
    cached_snapshot,
    fetch,
    is_cached,
    is_hub_id,
    needed_files,
)
from iterprime_ros.weights import Placement, model_folder

SAM, BLIP = 'tiny/sam', 'tiny/blip'
FILES = ('model.safetensors', 'config.json')


@pytest.fixture(scope='module')
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp('originals')
    tiny_blip().save_pretrained(folder / 'blip')
    tiny_tokenizer(WORDS).save_pretrained(folder / 'blip')
    tiny_sam().save_pretrained(folder / 'sam')
    (folder / 'sam' / 'README.md').write_text('Not needed.')
    return folder


@pytest.fixture
def hub(originals, tmp_path, monkeypatch):
    """Two models to change, and an empty cache."""
    for name in ('blip', 'sam'):
        shutil.copytree(originals / name, tmp_path / name)
    with serve(blip=tmp_path / 'blip', sam=tmp_path / 'sam') as served:
        monkeypatch.setattr(constants, 'ENDPOINT', served.endpoint)
        monkeypatch.setattr(
            constants,
            'HUGGINGFACE_CO_URL_TEMPLATE',
            served.endpoint + '/{repo_id}/resolve/{revision}/{filename}',
        )
        monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path / 'cache'))
        monkeypatch.setattr(constants, 'HF_HUB_DOWNLOAD_TIMEOUT', 1)
        monkeypatch.setattr(module, 'REQUEST_S', 1.0)
        monkeypatch.setattr(file_download.time, 'sleep', lambda _: None)  # between attempts
        yield served


@pytest.fixture
def profile(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text(
        f'matcher: {{kind: blip, weights: {BLIP}}}\nmasks: {{kind: sam, weights: {SAM}}}\n'
        'grounding: {block: 1}\n'
    )
    return path


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def test_what_is_fetched_is_what_the_hub_has(hub):
    assert fetch(SAM)
    expected = content(hub.models[SAM])
    del expected['README.md']
    assert content(cached_snapshot(SAM)) == expected
    assert is_cached(SAM, with_weights=True)


def test_what_is_here_is_not_downloaded_again(hub):
    fetch(SAM)
    hub.requests.clear()
    assert not fetch(SAM)
    assert hub.paths('GET') == [f'/api/models/{SAM}']


def test_a_tokenizer_is_fetched_without_weights(hub):
    fetch(BLIP, with_weights=False)
    assert not any(path.endswith('.safetensors') for _, path in hub.requests)
    assert is_cached(BLIP, with_weights=False)
    assert not is_cached(BLIP, with_weights=True)


@pytest.mark.parametrize('linked', [True, False])
@pytest.mark.parametrize('file', FILES)
@pytest.mark.parametrize('change', [lambda old: old[:100], lambda old: old[:-1] + b'?', None])
def test_a_damaged_file_is_repaired(hub, linked, file, change):
    fetch(SAM)
    path = cached_snapshot(SAM) / file
    good = path.read_bytes()
    if not linked:  # a cache that was copied without its links
        path.unlink()
        path.write_bytes(good)
    if change is None:
        path.unlink()
    else:
        path.resolve().write_bytes(change(good))
    assert fetch(SAM)
    assert (cached_snapshot(SAM) / file).read_bytes() == good
    assert not fetch(SAM)


def test_a_new_commit_fetches_what_changed(hub):
    fetch(SAM)
    first = cached_snapshot(SAM)
    (hub.models[SAM] / 'preprocessor_config.json').write_text('{}')
    hub.requests.clear()
    assert fetch(SAM)
    assert [path.split('/')[-1] for path in hub.paths('GET')] == ['sam', 'preprocessor_config.json']
    assert cached_snapshot(SAM) != first
    assert {*content(first), 'preprocessor_config.json'} == set(content(cached_snapshot(SAM)))


@pytest.mark.parametrize('name', ['commit', 'v1.0', 'refs/pr/3'])
def test_a_revision_stays_what_it_was(hub, tmp_path, name):
    old = shutil.copytree(hub.models[SAM], tmp_path / 'old')
    hub.revisions[SAM, 'v1.0'] = hub.revisions[SAM, 'refs/pr/3'] = old
    (hub.models[SAM] / 'preprocessor_config.json').write_text('{}')
    pinned = f'{SAM}@{hub.commit(old) if name == "commit" else name}'
    assert is_hub_id(pinned)
    assert cached_snapshot(pinned) is None
    assert fetch(pinned)
    folder = cached_snapshot(pinned)
    assert folder.name == hub.commit(old)
    assert not (folder / 'preprocessor_config.json').exists()
    assert content(folder).items() <= content(old).items()
    assert is_cached(pinned, with_weights=True)
    assert cached_snapshot(SAM) is None  # of the newest commit nothing is known
    assert fetch(SAM)
    assert cached_snapshot(SAM).name == hub.commit(hub.models[SAM])
    assert cached_snapshot(pinned) == folder
    hub.requests.clear()
    assert not fetch(pinned)
    assert model_folder(pinned, 'SAM') == folder
    assert len(hub.paths('GET')) == 1


def test_a_moved_tag_is_followed_when_it_is_fetched(hub, tmp_path):
    hub.revisions[SAM, 'v1'] = shutil.copytree(hub.models[SAM], tmp_path / 'old')
    fetch(f'{SAM}@v1')
    first = cached_snapshot(f'{SAM}@v1')
    (hub.revisions[SAM, 'v1'] / 'preprocessor_config.json').write_text('{}')
    assert fetch(f'{SAM}@v1')
    assert cached_snapshot(f'{SAM}@v1') != first


@pytest.mark.parametrize('revision', ['v2', '0' * 40])
def test_a_revision_that_the_hub_does_not_have(hub, revision):
    with pytest.raises(WeightsNotFoundError, match=f'no revision {revision} of tiny/sam: correct'):
        fetch(f'{SAM}@{revision}')
    with pytest.raises(WeightsNotFoundError, match='has no model tiny/none, or'):
        fetch(f'tiny/none@{revision}')
    assert cached_snapshot(f'{SAM}@{revision}') is None


def test_an_interrupted_download_is_resumed(hub):
    hub.faults['model.safetensors'] = 'interrupt'
    assert fetch(SAM)
    assert content(cached_snapshot(SAM)).items() <= content(hub.models[SAM]).items()
    assert [path for path in hub.paths('GET') if path.endswith('model.safetensors')][1:]


@pytest.mark.parametrize(
    ('fault', 'end'),
    [
        *product(('hang', '500', 'loop', '404'), (f'/api/models/{SAM}', *FILES)),
        *product(('truncate', 'short', 'damage'), FILES),
        ('stall', 'model.safetensors'),
    ],
)
def test_a_faulty_hub_is_one_sentence(hub, end, fault):
    hub.faults[end] = fault
    with pytest.raises(WeightsNotFoundError) as caught:
        fetch(SAM)
    assert len(str(caught.value).splitlines()) == 1
    assert cached_snapshot(SAM) is None
    hub.faults.clear()
    assert fetch(SAM)
    assert content(cached_snapshot(SAM)).items() <= content(hub.models[SAM]).items()


def test_a_model_that_the_hub_does_not_have(hub):
    with pytest.raises(WeightsNotFoundError, match='has no model tiny/none'):
        fetch('tiny/none')
    (hub.models[SAM] / 'model.safetensors').rename(hub.models[SAM] / 'model.h5')
    with pytest.raises(WeightsNotFoundError, match='in no format'):
        fetch(SAM)


def test_a_cache_that_cannot_be_written(hub, tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path / 'file' / 'cache'))
    with pytest.raises(UnwritableError, match='HF_HOME'):
        fetch(SAM)


def test_a_hub_that_takes_no_connection_is_given_up_in_time(hub, monkeypatch):
    monkeypatch.undo()
    given_up = threading.Event()

    def no_answer(*_):
        given_up.wait(30)
        raise TimeoutError

    monkeypatch.setattr(module.socket, 'create_connection', no_answer)
    started = time.perf_counter()
    with pytest.raises(HubUnreachableError, match='no connection within 4 s'):
        fetch(SAM)
    assert time.perf_counter() - started < 5
    given_up.set()


def test_offline_mode_is_kept(hub, monkeypatch):
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    with pytest.raises(HubUnreachableError, match='HF_HUB_OFFLINE'):
        fetch(SAM)
    assert hub.requests == []


@pytest.mark.parametrize(
    ('names', 'tensors'),
    [
        (['model.safetensors', 'pytorch_model.bin'], ['model.safetensors']),
        (['model.safetensors', 'model-1-of-1.safetensors'], ['model.safetensors']),
        (['model-1-of-2.safetensors', 'model-2-of-2.safetensors'], None),
        (['pytorch_model.bin', 'tf_model.h5', 'onnx/model.onnx'], ['pytorch_model.bin']),
    ],
)
def test_one_format_of_tensors_is_fetched(names, tensors):
    common = ['config.json', 'vocab.txt']
    everything = [*names, *common, 'README.md', 'coreml/config.json']
    assert needed_files(everything, True) == common + (tensors or names)
    assert needed_files(everything, False) == common


@pytest.mark.parametrize(
    'text',
    [
        *('', '/weights/sam', 'a/b/c', 'x' * 5000, 'a\0b', 'ALBEF.pth', 'ALBEF.pth@main'),
        *('a/b@', 'a/b@..', 'a/b@x/../y', 'a/b@/etc', 'a/b@v1@v2', 'a/b@v 1', 'a@b/c/..'),
    ],
)
def test_what_is_no_id_is_never_asked_for(hub, text):
    assert not is_hub_id(text)
    assert cached_snapshot(text) is None
    with pytest.raises(WeightsNotFoundError, match='nor an id on the hub'):
        model_folder(text or '/nowhere', 'SAM')
    assert hub.requests == []


def test_loading_fetches_once_and_says_so(hub, caplog):
    with caplog.at_level(logging.WARNING):
        folder = model_folder(BLIP, 'matcher')
        assert model_folder(BLIP, 'tokenizer', with_weights=False) == folder
    assert [each.message for each in caplog.records] == [f'Fetching {BLIP} from the hub ...']


def test_what_is_cached_is_found_without_the_hub(hub):
    fetch(SAM)
    hub.requests.clear()
    assert model_folder(SAM, 'SAM') == cached_snapshot(SAM)
    assert hub.requests == []


def test_what_lacks_names_the_profile_that_fetches_it(hub):
    hub.faults['tiny/sam'] = '500'
    for placement in (
        Placement(profile='blip-sam'),
        Placement('cpu', profile='blip-sam', local_files_only=True),
    ):
        with pytest.raises(WeightsNotFoundError, match='`iterprime models fetch blip-sam`'):
            model_folder(SAM, 'SAM', placement)


def test_one_model_is_fetched_by_its_id(hub, capsys):
    assert main(['models', 'fetch', SAM]) == 0
    assert capsys.readouterr().out == f'{SAM}: fetched.\n'
    assert cached_snapshot(BLIP) is None
    assert cached_snapshot(SAM) is not None


def test_the_notice_of_a_profile_is_told_when_it_is_fetched(hub, tmp_path, capsys):
    noticed = tmp_path / 'noticed.yaml'
    noticed.write_text(
        f'notice: For nothing.\nmatcher: {{kind: blip, weights: {BLIP}}}\n'
        'masks: {kind: regions}\n'
    )
    assert main(['models', 'fetch', str(noticed)]) == 0
    assert capsys.readouterr().err == 'For nothing.\n'


def test_the_command_line_tells_what_it_did(hub, profile, capsys):
    assert main(['models', 'fetch', str(profile)]) == 0
    assert capsys.readouterr().out == f'{BLIP}: fetched.\n{SAM}: fetched.\n'
    cut = (cached_snapshot(SAM) / 'model.safetensors').resolve()
    cut.write_bytes(cut.read_bytes()[:1000])
    assert main(['models', 'fetch', str(profile)]) == 0
    assert capsys.readouterr().out == f'{BLIP}: already here.\n{SAM}: fetched.\n'
    hub.faults['tiny/sam'] = '500'
    assert main(['models', 'fetch', str(profile)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f'{SAM}: not checked: the hub is out of reach (')
    shutil.rmtree(cached_snapshot(SAM))
    assert main(['models', 'fetch', str(profile)]) == 2
    assert f'{SAM} is not in the cache, and the hub is out of reach' in capsys.readouterr().err


def test_what_needs_no_hub_says_so(hub, tmp_path, capsys):
    assert main(['models', 'fetch', 'tabletop']) == 0
    assert capsys.readouterr().out == 'tabletop needs nothing from the hub.\n'
    path = tmp_path / 'paper.yaml'
    path.write_text(
        'base: paper\nmatcher: {tokenizer: tiny/blip}\nmasks: {kind: regions, weights: null}\n'
    )
    assert main(['models', 'fetch', str(path)]) == 0
    assert capsys.readouterr().out == (
        f'ALBEF.pth: not on the hub: it must lie where the profile says.\n{BLIP}: fetched.\n'
    )


LOAD = """
import sys
import numpy as np
from iterprime_ros.grounding import blip
from iterprime_ros.masks import sam
from iterprime_ros.errors import IterprimeError
from iterprime_ros.pipeline import IteRPrimE
try:
    model = IteRPrimE.from_profile(sys.argv[1], 'cpu')
    print(model.segment(np.zeros((40, 50, 3), np.uint8), 'the red mug').text)
except IterprimeError as error:
    print(error)
"""


def loaded(profile, endpoint, cache):
    """Load and use a profile in a process of its own; return its text and warnings."""
    environment = {**os.environ, 'HF_ENDPOINT': endpoint, 'HF_HUB_CACHE': str(cache)}
    environment |= {'HF_HUB_DISABLE_PROGRESS_BARS': '1', 'TRANSFORMERS_VERBOSITY': 'error'}
    done = subprocess.run(
        [sys.executable, '-c', LOAD, str(profile)],
        env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (text,) = done.stdout.splitlines()
    return text, done.stderr


@pytest.mark.parametrize('preprocessor', [True, False])
def test_a_cached_profile_sends_no_request(hub, profile, tmp_path, preprocessor):
    if preprocessor:
        words = '{"image_mean": [0.4, 0.4, 0.4], "image_std": [0.2, 0.2, 0.2]}'
        (hub.models[SAM] / 'preprocessor_config.json').write_text(words)
    fetch(BLIP)
    fetch(SAM)
    hub.requests.clear()
    text, warnings = loaded(profile, hub.endpoint, tmp_path / 'cache')
    assert 'red mug' in text
    assert hub.requests == []
    assert 'from the hub' not in warnings


def test_a_silent_hub_is_given_up_after_one_request(hub, profile, tmp_path):
    hub.faults[''] = 'hang'
    text, warnings = loaded(profile, hub.endpoint, tmp_path / 'cache')
    assert 'the hub is out of reach' in text
    assert '`iterprime models fetch' in text
    assert [path for path in hub.paths('GET') if 'models' in path] == [f'/api/models/{BLIP}']
    assert warnings.count(f'Fetching {BLIP} from the hub ...') == 1


def test_no_network_is_one_sentence_at_once(profile, tmp_path):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
    text, _ = loaded(profile, f'http://127.0.0.1:{port}', tmp_path / 'cache')
    assert 'the hub is out of reach (127.0.0.1: [Errno 111] Connection refused)' in text
