"""The node that listens: sound, or text that another node recognised, becomes spoken commands.

How, and every parameter: docs/speech.md.
"""

import queue
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.timer import Timer
from std_msgs.msg import Empty, Header, String
from std_srvs.srv import SetBool

from iterprime_ros.errors import InvalidSettingError, IterprimeError
from iterprime_ros.msg import SpokenCommand
from iterprime_ros.ros.node_runner import run
from iterprime_ros.ros.runtime.listen_parameters import LISTEN_PARAMETERS
from iterprime_ros.ros.runtime.parameters import declared_values, warn_of_unknown_parameters
from iterprime_ros.speech.audio import Microphone, blocks, read_wav
from iterprime_ros.speech.commands import addressed, is_wanted_language, says_stop, spoken_text
from iterprime_ros.speech.endpoints import Endpointer
from iterprime_ros.speech.listener import Listener, ListenerCallbacks
from iterprime_ros.speech.recognizer import Hypothesis, Recognizer
from iterprime_ros.speech.vocabulary import TABLETOP, Vocabulary

_QOS = QoSProfile(depth=10)
_POLL = 0.1  # seconds between looks at what else there is to do
_FIELDS = ('text', 'data')


class ListenNode(Node):
    """Publishes what was said on `spoken_command`.

    Raises the errors of iterprime_ros.errors for a source or a recogniser that cannot be had.
    """

    def __init__(self) -> None:
        super().__init__('listen')
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._talking: queue.SimpleQueue[bool] = queue.SimpleQueue()
        values = self._values = declared_values(self, LISTEN_PARAMETERS)
        warn_of_unknown_parameters(self)
        self._wake_word = spoken_text(values['wake_word'])
        self._languages = [code for code in values['languages'] if code]
        self._commands = self.create_publisher(SpokenCommand, 'spoken_command', _QOS)
        self._stops = self.create_publisher(Empty, 'stop', _QOS)
        self._heard = self.create_publisher(String, '~/heard', _QOS)
        self._partial = self.create_publisher(String, '~/partial', _QOS)
        if values['source'] == 'topic':
            self._subscribe()
        else:
            self._listen()

    # Text that another node recognised

    def _subscribe(self) -> None:
        kind = message_class(self._values['message_type'])
        known = kind.get_fields_and_field_types()
        wanted = self._values['text_field']
        fields = [wanted] if wanted else list(_FIELDS)
        field = next((name for name in fields if known.get(name) == 'string'), None)
        if field is None:
            raise InvalidSettingError(
                f'{self._values["message_type"]} has no field {" or ".join(fields)} of type '
                f'string: name one of {", ".join(known)} as text_field.'
            )

        def take(message: Any) -> None:
            text = spoken_text(getattr(message, field))
            language = getattr(message, 'language', '')
            known_language = language if isinstance(language, str) else ''
            if not text or not is_wanted_language(known_language, self._languages):
                return
            if says_stop(text):
                self._stops.publish(Empty())
            self._on_final((Hypothesis(text, 1.0),))

        topic = self.create_subscription(kind, self._values['topic'], take, _QOS).topic_name
        self.get_logger().info(f'Listening to {field} of {topic}.')

    # Sound

    def _listen(self) -> None:
        values = self._values
        by_hand = values['push_to_talk']
        sound = self._sound_of_file()
        listener = Listener(
            self._recognizer(),
            None if by_hand else Endpointer(),
            ListenerCallbacks(
                lambda text: self._partial.publish(String(data=text)),
                lambda: self._stops.publish(Empty()),
                self._on_final,
            ),
        )
        if by_hand:
            self.create_service(SetBool, '~/talk', self._on_talk)
        work: Callable[[], None]
        if sound is None:
            microphone = Microphone(values['device'])

            def work() -> None:
                self._hear_microphone(microphone, listener)
        else:

            def work() -> None:
                self._hear_file(sound, listener, by_hand)

        def guarded() -> None:
            try:
                work()
            except Exception as error:  # the executor's thread raises it
                self._failure = error

        self._watch: Timer = self.create_timer(_POLL, self._raise_failure)
        self._thread = threading.Thread(target=guarded, name='listen', daemon=True)
        self._thread.start()
        when = ', once somebody subscribes to what is said' if sound is not None else ''
        self.get_logger().info(
            f'Listening to {values["file"] or "the microphone"} with {values["recognizer"]}{when}.'
        )

    def _sound_of_file(self) -> NDArray[np.float32] | None:
        values = self._values
        if values['source'] != 'wav':
            return None
        if not values['file']:
            raise InvalidSettingError('With source wav, the parameter file must name a file.')
        return read_wav(values['file'])

    def _recognizer(self) -> Recognizer:
        values = self._values
        if values['recognizer'] == 'pocketsphinx':
            from iterprime_ros.speech.sphinx import SphinxRecognizer

            given = {name: words_given(values[name]) for name in ('nouns', 'colours', 'sizes')}
            vocabulary = Vocabulary(
                given['nouns'] or TABLETOP.nouns,
                given['colours'] or TABLETOP.colours,
                given['sizes'] or TABLETOP.sizes,
            )
            return SphinxRecognizer(vocabulary, values['n_best'])
        from iterprime_ros.speech.whisper import DEFAULT_WEIGHTS, load_whisper
        from iterprime_ros.weights import Placement

        weights = values['weights'] or DEFAULT_WEIGHTS
        placement = Placement.named(values['model_device'], 'float32', values['offline'], weights)
        return load_whisper(weights, values['n_best'], self._languages, placement)

    def _hear_microphone(self, microphone: Microphone, listener: Listener) -> None:
        try:
            while not self._ended.is_set():
                self._obey_talk(listener)
                block = microphone.read(_POLL)
                if block is not None:
                    listener.hear(block)
        finally:
            microphone.close()

    def _hear_file(self, sound: NDArray[np.float32], listener: Listener, by_hand: bool) -> None:
        """Hear a file once somebody listens to commands; with push to talk at each push."""
        while not self._commands.get_subscription_count():
            if self._ended.wait(_POLL):
                return
        while not self._ended.is_set():
            if by_hand:
                try:
                    is_talking = self._talking.get(timeout=_POLL)
                except queue.Empty:
                    continue
                if not is_talking:
                    continue
                listener.talk(True)
            for block in blocks(sound):
                listener.hear(block)
            listener.end()
            self.get_logger().info(f'{self._values["file"]} has ended.')
            if not by_hand:
                return

    def _obey_talk(self, listener: Listener) -> None:
        while not self._talking.empty():
            listener.talk(self._talking.get())

    def _on_talk(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._talking.put(request.data)
        response.success = True
        response.message = 'Listening.' if request.data else 'Recognising.'
        return response

    def _on_final(self, found: tuple[Hypothesis, ...]) -> None:
        """Say what was heard, then send it as a command, unless it only says to stop."""
        meant = addressed(found, self._wake_word)
        if says_stop(found[0].text):
            self._heard.publish(String(data=found[0].text))
            return
        if not meant:
            self.get_logger().info(f'Not meant for this robot: "{found[0].text[:80]}".')
            return
        self._heard.publish(String(data=meant[0].text))
        self.get_logger().info(f'Heard "{meant[0].text[:80]}".')
        message = SpokenCommand(header=Header(stamp=self.get_clock().now().to_msg()))
        message.transcript = [each.text for each in meant]
        message.confidence = [each.confidence for each in meant]
        self._commands.publish(message)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def destroy_node(self) -> None:
        """Stop listening, and destroy the node."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        super().destroy_node()


def message_class(name: str) -> Any:
    """Return the class of a message type 'package/msg/Name'.

    Raises InvalidSettingError for another name, and for a package that is not there.
    """
    package, _, rest = name.partition('/')
    kind = rest.removeprefix('msg/')
    try:
        if not package.isidentifier() or not kind.isidentifier():
            raise ValueError
        found = getattr(import_module(f'{package}.msg'), kind)
        found.get_fields_and_field_types()
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidSettingError(
            f'There is no message type "{name[:80]}": name one as in std_msgs/msg/String, and '
            'source the workspace that has it.'
        ) from error
    return found


def words_given(values: list[str]) -> tuple[str, ...]:
    """Return the words of a parameter in lower case, each once.

    Raises InvalidSettingError for one that has other characters than letters.
    """
    words = tuple(dict.fromkeys(value.strip().lower() for value in values if value.strip()))
    for word in words:
        if not word.isascii() or not word.isalpha():
            raise InvalidSettingError(f'"{word[:40]}" is no word: use letters from a to z.')
    return words


def main(arguments: list[str]) -> int:
    """Run the node until it is interrupted."""
    try:
        return run(ListenNode, arguments)
    except (IterprimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
