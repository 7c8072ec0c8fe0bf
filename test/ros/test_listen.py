"""The node that listens, in a process of its own: sound or text in, spoken commands out."""

import numpy as np
import pytest
from std_msgs.msg import Empty, String
from std_srvs.srv import SetBool
from visualization_msgs.msg import Marker

from helpers.robots import ended_well
from helpers.tiny_whisper import save_tiny_whisper
from iterprime_ros.msg import SpokenCommand
from iterprime_ros.speech.audio import write_wav
from iterprime_ros.speech.espeak import speak


class Ears:
    """What the node publishes, in order."""

    def __init__(self, peer):
        self.peer, self.order = peer, []
        self.commands = self._keep(SpokenCommand, 'spoken_command')
        self.heard = self._keep(String, 'listen/heard')
        self.partial = self._keep(String, 'listen/partial')
        self.stops = self._keep(Empty, 'stop')

    def _keep(self, kind, topic):
        messages = []

        def take(message):
            messages.append(message)
            self.order.append(topic)

        self.peer.create_subscription(kind, topic, take, 10)
        return messages

    def command(self):
        self.peer.wait_for(lambda: self.commands and self.heard, 'a spoken command')
        return self.commands[0]


@pytest.fixture
def ears(peer):
    return Ears(peer)


def recorded(folder, *texts, pause=1.5):
    """Write texts, spoken with pauses between them, to a WAV file."""
    still = np.random.default_rng(0).normal(0, 1e-3, int(pause * 16_000)).astype(np.float32)
    parts = [part for text in texts for part in (still, speak(text, 'en-us', 150))]
    write_wav(folder / 'said.wav', np.concatenate([*parts, still]))
    return folder / 'said.wav'


def test_a_wav_file_becomes_a_spoken_command(ears, start_node, tmp_path):
    file = recorded(tmp_path, 'please pick up the yellow banana')
    process = start_node('listen', source='wav', file=file, n_best=5)
    said = ears.command()
    assert said.transcript[0] == 'please pick up the yellow banana'
    assert len(said.transcript) == len(said.confidence) == 5
    assert list(said.confidence) == sorted(said.confidence, reverse=True)
    assert said.header.stamp.sec > 0
    assert ears.heard[0].data == said.transcript[0]
    assert ears.partial
    assert not ears.stops
    ended_well(process)


def test_stop_is_a_message_and_no_command(ears, start_node, tmp_path):
    file = recorded(tmp_path, 'stop', 'grab the red ball')
    process = start_node('listen', source='wav', file=file)
    said = ears.command()
    assert said.transcript[0] == 'grab the red ball'
    assert len(ears.commands) == 1
    ears.peer.wait_for(lambda: ears.stops, 'stop')
    assert len(ears.stops) == 1
    assert [text.data for text in ears.heard] == ['stop', 'grab the red ball']
    ended_well(process)


def test_without_the_wake_word_nothing_is_sent(ears, start_node, tmp_path):
    file = recorded(tmp_path, 'take the blue cube', 'robot take the white plate')
    process = start_node('listen', source='wav', file=file, wake_word='Robot')
    assert ears.command().transcript[0] == 'take the white plate'
    assert len(ears.commands) == len(ears.heard) == 1
    ended_well(process)


def test_push_to_talk(ears, start_node, tmp_path):
    file = recorded(tmp_path, 'lift the green bottle', pause=0.3)
    process = start_node('listen', source='wav', file=file, push_to_talk='true')
    ears.peer.call(SetBool, 'listen/talk', SetBool.Request(data=True))
    assert ears.command().transcript[0] == 'lift the green bottle'
    ended_well(process)


@pytest.mark.parametrize(
    ('kind', 'name', 'field'),
    [(String, 'std_msgs/msg/String', 'data'), (Marker, 'visualization_msgs/msg/Marker', 'text')],
)
def test_text_of_another_node_becomes_a_spoken_command(ears, start_node, kind, name, field):
    process = start_node('listen', source='topic', topic='text', message_type=name)
    publisher = ears.peer.create_publisher(kind, 'text', 10)
    ears.peer.wait_for(publisher.get_subscription_count, 'the node to listen')

    def say(text):
        publisher.publish(kind(**{field: text}))

    ears.peer.wait_for(lambda: ears.peer.count_subscribers('stop'), 'discovery')
    for _ in range(10):  # a publisher that was not discovered yet loses a message
        say('Robot: pick up the red mug, please!')
        if ears.peer.comes(lambda: ears.commands, 6.0):
            break
    said = ears.command()
    assert said.transcript == ['robot pick up the red mug please']
    assert list(said.confidence) == [1.0]
    count = len(ears.commands)
    say('...')
    say('Stop!')
    ears.peer.wait_for(lambda: ears.stops, 'stop')
    assert len(ears.commands) == count
    ended_well(process)


def test_whisper_hears_it_too(ears, start_node, tmp_path):
    weights = save_tiny_whisper(tmp_path / 'whisper')
    file = recorded(tmp_path, 'lift the green bottle')
    process = start_node(
        'listen',
        source='wav', file=file, recognizer='whisper', weights=weights, n_best=3,
        model_device='cpu', offline='true',
    )  # fmt: skip
    assert 1 <= len(ears.command().transcript) <= 3
    ended_well(process)


@pytest.mark.parametrize(
    ('parameters', 'reason'),
    [
        ({'source': 'wav'}, 'must name a file'),
        ({'source': 'wav', 'file': 'none.wav'}, 'cannot be read'),
        ({'source': 'radio'}, 'source must be'),
        ({'source': 'topic', 'message_type': 'no_msgs/msg/None'}, 'no message type'),
        ({'source': 'topic', 'message_type': 'std_msgs/msg/Empty'}, 'no field'),
        ({'source': 'topic', 'text_field': 'words'}, 'no field words'),
        ({'source': 'wav', 'file': 'FILE', 'nouns': "['a mug']"}, 'is no word'),
        ({'source': 'microphone', 'device': 'nobody has this'}, 'icrophone'),
        (
            {'source': 'wav', 'file': 'FILE', 'recognizer': 'whisper', 'weights': '/none'},
            'No Whisper model',
        ),
    ],
)
def test_what_cannot_work_ends_with_a_sentence(start_node, tmp_path, parameters, reason):
    if parameters.get('file') == 'FILE':
        parameters = {**parameters, 'file': recorded(tmp_path, 'stop', pause=0.1)}
    process = start_node('listen', **parameters)
    output, _ = process.communicate(timeout=60)
    assert process.returncode in (1, 2), output
    assert reason in output
    assert 'Traceback' not in output
