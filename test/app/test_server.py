"""What is refused before the page is served, and what the server takes to be local."""

import asyncio
import socket

import pytest

from iterprime_ros.app.guard import MAX_BODY, guarded
from iterprime_ros.app.profile_choice import offered_profiles
from iterprime_ros.app.server import is_local, listen
from iterprime_ros.cli import main
from iterprime_ros.errors import InvalidSettingError, WeightsNotFoundError
from iterprime_ros.profiles import PROFILE_NAMES, load_profile


def test_a_port_that_is_taken_is_one_sentence(capsys):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        assert main(['app', '--port', str(port)]) == 2
    said = capsys.readouterr()
    assert said.out == ''
    assert said.err == (
        f'Cannot listen on port {port} of 127.0.0.1 (Address already in use): name another with '
        '--port or --host, or end what uses it.\n'
    )


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(InvalidSettingError, match=r'^Cannot listen on port 0 of 203\.0\.113\.1 '):
        listen('203.0.113.1', 0)


@pytest.mark.parametrize(
    ('host', 'local'),
    [
        ('127.0.0.1', True),
        ('127.5.5.5', True),
        ('::1', True),
        ('localhost', True),
        ('0.0.0.0', False),  # noqa: S104
        ('::', False),
        ('192.168.0.5', False),
        ('robot.example', False),
    ],
)
def test_which_addresses_only_this_machine_reaches(host, local):
    assert is_local(host) is local


def test_all_profiles_that_are_here_are_offered(tmp_path, monkeypatch):
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_CACHE', str(tmp_path))
    assert offered_profiles([]) == ['tabletop', 'tabletop-igrs']
    snapshot = tmp_path / 'models--Salesforce--blip-itm-base-coco' / 'snapshots' / ('0' * 40)
    snapshot.mkdir(parents=True)
    (snapshot / 'config.json').touch()
    (snapshot / 'model.safetensors').touch()
    references = snapshot.parents[1] / 'refs'
    references.mkdir()
    (references / 'main').write_text('0' * 40)
    assert offered_profiles([]) == ['tabletop', 'tabletop-igrs', 'no-mask-model']


def test_named_profiles_are_offered_in_their_order(regions, tmp_path, monkeypatch):
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_CACHE', str(tmp_path))
    assert offered_profiles([str(regions), 'tabletop', str(regions)]) == [str(regions), 'tabletop']
    with pytest.raises(WeightsNotFoundError, match='iterprime models fetch paper'):
        offered_profiles(['tabletop', 'paper'])
    with pytest.raises(InvalidSettingError):
        offered_profiles(['nothing'])
    assert all(load_profile(name) for name in PROFILE_NAMES)


async def _echo(scope, receive, send):
    body = b''
    while True:
        message = await receive()
        body += message.get('body', b'')
        if not message.get('more_body'):
            break
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': body})


def _asked(application, path, method='GET', parts=(b'',)):
    """Return the status, the headers and the body of an answer to a body that arrives in parts."""
    waiting = [
        {'type': 'http.request', 'body': each, 'more_body': number < len(parts) - 1}
        for number, each in enumerate(parts)
    ]
    sent = []

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    scope = {'type': 'http', 'method': method, 'path': path}
    asyncio.run(application(scope, receive, send))
    return sent[0]['status'], dict(sent[0]['headers']), sent[1]['body']


def test_the_guard_passes_small_requests_on_as_they_are(tmp_path):
    guard = guarded(_echo, tmp_path)
    parts = (b'{"data": [{"path": "/tmp/a.png"},', b' "http://example.com in words"]}')
    status, headers, body = _asked(guard, '/gradio_api/queue/join', 'POST', parts)
    assert (status, body) == (200, b''.join(parts))
    assert b'content-security-policy' in headers
    large = bytes(MAX_BODY + 1)
    assert _asked(guard, '/gradio_api/upload', 'POST', (large,))[0] == 200
    assert _asked(guard, '/gradio_api/queue/join', 'POST', (large[:9], large))[0] == 413
    assert _asked(guard, '/gradio_api/queue/join', 'POST', (b'[' * 100_000,))[0] == 200


@pytest.mark.parametrize('address', ['http://a.example/b.png', ' HTTPS://a.example', 'http:/a'])
def test_the_guard_lets_no_request_name_another_host(tmp_path, address):
    guard = guarded(_echo, tmp_path)
    body = ('{"data": [[{"x": {"path": "%s"}}]]}' % address).encode()  # noqa: UP031
    assert _asked(guard, '/gradio_api/call/segment', 'POST', (body,))[0] == 400


def test_the_guard_knows_its_folder_through_links(tmp_path):
    own, other = tmp_path / 'own', tmp_path / 'other'
    own.mkdir()
    other.mkdir()
    (own / 'link').symlink_to(other)
    (tmp_path / 'to_own').symlink_to(own)
    guard = guarded(_echo, tmp_path / 'to_own')
    for path, status in [
        (own / 'a.png', 200),
        (own / 'deep' / 'a.png', 200),
        (own / 'link' / 'a.png', 403),
        (own / '..' / 'other' / 'a.png', 403),
        (other / 'a.png', 403),
        (f'{own}-2/a.png', 403),
    ]:
        assert _asked(guard, f'/gradio_api/file={path}')[0] == status
