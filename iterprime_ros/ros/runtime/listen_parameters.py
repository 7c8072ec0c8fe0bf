"""The parameters of the node listen."""

from iterprime_ros.ros.runtime.parameters import ParameterSpec

SOURCES = ('microphone', 'wav', 'topic')
RECOGNIZERS = ('pocketsphinx', 'whisper')

LISTEN_PARAMETERS = {
    'source': ParameterSpec(
        'microphone',
        'microphone: sounddevice. wav: a file, once. topic: text that another node recognised.',
        choices=SOURCES,
    ),
    'device': ParameterSpec('', 'Microphone, by name or number; the default one if empty.'),
    'file': ParameterSpec('', 'WAV file, with source wav.'),
    'topic': ParameterSpec('transcription', 'Topic of recognised text, with source topic.'),
    'message_type': ParameterSpec(
        'std_msgs/msg/String', 'Type of its messages: whisper_msgs/msg/Transcription ...'
    ),
    'text_field': ParameterSpec(
        '', 'Field of its messages that has the text; text if there is one, else data, if empty.'
    ),
    'recognizer': ParameterSpec(
        'pocketsphinx',
        'pocketsphinx: sentences of a grammar, in English. whisper: any text.',
        choices=RECOGNIZERS,
    ),
    'weights': ParameterSpec('', 'Whisper, by folder or id; openai/whisper-base.en if empty.'),
    'model_device': ParameterSpec('auto', 'Of whisper: auto (CUDA where there is one), cpu ...'),
    'offline': ParameterSpec(False, 'Never ask the hub for weights.'),
    'nouns': ParameterSpec(
        [''], 'What objects are called in the grammar; those of the simulated table if empty.'
    ),
    'colours': ParameterSpec([''], 'Colours in the grammar, likewise.'),
    'sizes': ParameterSpec([''], 'Sizes in the grammar, likewise.'),
    'languages': ParameterSpec(
        ['en'], 'Codes of the languages that are listened to; one empty code: all.'
    ),
    'n_best': ParameterSpec(10, 'Most hypotheses of a command.', (1, 100)),
    'wake_word': ParameterSpec('', 'Commands begin with it; none if empty. "stop" needs none.'),
    'push_to_talk': ParameterSpec(
        False, 'Listen only while the service ~/talk has said so, and not for speech by itself.'
    ),
}
