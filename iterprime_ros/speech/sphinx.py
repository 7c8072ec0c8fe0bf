"""Speech by pocketsphinx, whose wheel brings an acoustic model of American English.

A grammar says what may be said. pocketsphinx finds the sentence of it that fits the sound best,
and prunes all others; how well those fit is then computed from the scores of all senones (see
alternatives), so that what is sent has a probability for each sentence.
"""

import math
import re
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import MissingDependencyError, WeightsMismatchError
from iterprime_ros.speech.acoustic_model import read_acoustic_model
from iterprime_ros.speech.alignment import Aligner
from iterprime_ros.speech.alternatives import Alternative, alternatives
from iterprime_ros.speech.audio import NoiseFloor, to_pcm
from iterprime_ros.speech.automaton import Automaton, Words, read_fsg
from iterprime_ros.speech.jsgf import NAME, grammar, words_of
from iterprime_ros.speech.pronunciations import (
    Phones,
    dictionary_text,
    pronunciations,
    read_dictionary,
)
from iterprime_ros.speech.recognizer import SAMPLE_RATE, Hypothesis
from iterprime_ros.speech.vocabulary import TABLETOP, Vocabulary

# One unit of pocketsphinx's senone scores: 2^10 times the logarithm of its base.
_UNIT = -1024 * math.log(1.0001)
_WORST_SCORE = -25.0  # log probability of a senone in one frame, relative to the best one
_LANGUAGE_WEIGHT = 6.5  # of pocketsphinx: what its FSG format divides log probabilities by
_FRAMES_PER_SECOND = (90, 80, 60)  # fewer than the model's 100: as if it were spoken faster
_WIDE = {'beam': 1e-64, 'wbeam': 1e-48, 'pbeam': 1e-64}

# Mean cepstrum of speech, which is subtracted until an utterance has shown its own: of espeak-ng.
_TYPICAL_MEAN = '65,-7,0,10,-7,0,-3,-9,-4,-5,0,-2,-4'

# How sound and language make a probability: fitted on spoken commands of calibration scenes.
_GRAMMAR_WEIGHT = 10.0
_SHARPNESS = 0.1


class SphinxRecognizer:
    """Recognises the sentences of a grammar; see recognizer.Recognizer.

    vocabulary: of the things that are spoken about.
    n_best: most hypotheses of an utterance.

    automaton: of the grammar.

    Raises MissingDependencyError without pocketsphinx.
    """

    def __init__(self, vocabulary: Vocabulary = TABLETOP, n_best: int = 10) -> None:
        self._n_best = n_best
        self._folder = tempfile.TemporaryDirectory(prefix='iterprime_speech_')
        folder, text = Path(self._folder.name), grammar(vocabulary)
        words = words_of(text)
        dictionary = folder / 'words.dict'
        dictionary.write_text(dictionary_text(words, _dictionary()), encoding='utf-8')
        self._stream = _decoder(text, dictionary, _WIDE)
        self._mean = _TYPICAL_MEAN
        self._passes = [
            _SenonePass(text, dictionary, folder / str(rate), rate) for rate in _FRAMES_PER_SECOND
        ]
        said = {word: pronunciations(word, _dictionary()) for word in words}
        self._aligner = Aligner(read_acoustic_model(_model_path('en-us/en-us')), said)
        self.automaton = _automaton(self._stream, folder / 'grammar.fsg')
        self._floor = NoiseFloor()
        self._heard: list[NDArray[np.float32]] | None = None

    def start(self) -> None:
        """See Recognizer."""
        if self._heard is not None:
            self._stream.end_utt()
        self._heard, self._floor = [], NoiseFloor()
        self._stream.reinit_feat()
        self._stream.set_cmn(self._mean)
        self._stream.start_utt()

    def hear(self, samples: NDArray[np.float32]) -> str:
        """See Recognizer; raises ValueError before start."""
        if self._heard is None:
            raise ValueError('start() comes before hear().')
        self._heard.append(np.array(samples, np.float32))
        self._stream.process_raw(to_pcm(self._floor.raised(samples)))
        guess = self._stream.hyp()
        return guess.hypstr if guess else ''

    def finish(self) -> tuple[Hypothesis, ...]:
        """See Recognizer; raises ValueError before start."""
        if self._heard is None:
            raise ValueError('start() comes before finish().')
        self._stream.end_utt()
        sound = np.concatenate([np.zeros(0, np.float32), *self._heard])
        self._heard = None
        if len(sound) < SAMPLE_RATE // 10:
            return ()
        sound = NoiseFloor().raised(sound)
        heard = [decoder.listen(sound) for decoder in self._passes]
        seeds = [words for words, _ in heard if words]
        self._mean = self._passes[0].mean
        if not seeds:
            return ()
        scores = [each for _, each in heard]

        def score(sentences: Sequence[Words]) -> list[float]:
            each = [self._aligner.scores(sentences, senones) for senones in scores]
            return np.mean(each, axis=0).tolist()

        found = alternatives(self.automaton, score, seeds, _GRAMMAR_WEIGHT)
        return hypotheses(found, self._n_best)


def hypotheses(found: Sequence[Alternative], count: int) -> tuple[Hypothesis, ...]:
    """Return the likeliest alternatives, best first, with their probabilities among all found."""
    totals = np.array([each.total(_GRAMMAR_WEIGHT) for each in found])
    chances = np.exp(_SHARPNESS * (totals - totals.max(initial=-np.inf)))
    chances /= chances.sum()
    order = np.argsort(-chances, kind='stable')[:count]
    return tuple(Hypothesis(' '.join(found[k].words), float(chances[k])) for k in order)


class _SenonePass:
    """Decodes a whole utterance, and keeps the scores of all senones in every frame."""

    def __init__(self, text: str, dictionary: Path, folder: Path, frames_per_second: int) -> None:
        folder.mkdir()
        self._folder = folder
        options = {**_WIDE, 'frate': frames_per_second, 'compallsen': True}
        self._decoder = _decoder(text, dictionary, {**options, 'senlogdir': str(folder)})

    @property
    def mean(self) -> str:
        """The mean cepstrum of the last utterance, as pocketsphinx writes it."""
        return str(self._decoder.get_cmn())

    def listen(self, sound: NDArray[np.float32]) -> tuple[Words, NDArray[np.float32]]:
        """Return the best sentence and the log probabilities (T, N) of the senones."""
        pcm = to_pcm(sound)
        self._decoder.reinit_feat()  # forgets the noise of other utterances,
        for is_known in (False, True):  # and learns that of this one
            self._decoder.start_utt()
            self._decoder.process_raw(pcm, no_search=not is_known, full_utt=True)
            self._decoder.end_utt()
        guess = self._decoder.hyp()
        logs = sorted(self._folder.iterdir())
        senones = read_senone_scores(logs[-1].read_bytes())
        for log in logs:
            log.unlink()
        return tuple(guess.hypstr.split()) if guess else (), senones


def read_senone_scores(data: bytes) -> NDArray[np.float32]:
    """Return the log probabilities (T, N) in a senone log of pocketsphinx with all N senones.

    Format after pocketsphinx, src/acmod.c: a header, then for every frame the number of senones and
    their scores, int16. They are relative to the best senone of each frame.

    Raises WeightsMismatchError for another format.
    """
    found = re.search(rb'\nn_sen (\d+)\n', data[:4096])
    end = data.find(b'endhdr\n') + len(b'endhdr\n') + 4  # a mark of the byte order follows
    width = int(found[1]) + 1 if found else 0
    if not width or (len(data) - end) % (2 * width):
        raise WeightsMismatchError('This pocketsphinx logs senone scores in another format.')
    scores = np.frombuffer(data, '<i2', offset=end).reshape(-1, width)[:, 1:]
    return np.maximum(scores * np.float32(_UNIT), np.float32(_WORST_SCORE))


def _automaton(decoder: Any, file: Path) -> Automaton:
    decoder.get_fsg(NAME).writefile(str(file))
    return read_fsg(file.read_text(encoding='utf-8'), _LANGUAGE_WEIGHT)


def _decoder(text: str, dictionary: Path, options: dict[str, Any]) -> Any:
    """Return a decoder with a grammar."""
    decoder = _pocketsphinx().Decoder(
        hmm=str(_model_path('en-us/en-us')),
        dict=str(dictionary),
        lm=None,
        samprate=SAMPLE_RATE,
        bestpath=False,  # it would search the lattice for what is computed here
        loglevel='FATAL',
        **options,
    )
    decoder.add_jsgf_string(NAME, text)
    decoder.activate_search(NAME)
    return decoder


@cache
def _dictionary() -> dict[str, tuple[Phones, ...]]:
    text = _model_path('en-us/cmudict-en-us.dict').read_text(encoding='utf-8')
    return read_dictionary(text)


def _model_path(name: str) -> Path:
    return Path(_pocketsphinx().get_model_path(name))


def _pocketsphinx() -> Any:
    try:
        return import_module('pocketsphinx')
    except ImportError as error:
        raise MissingDependencyError(
            'pocketsphinx is missing: pip install "iterprime_ros[speech]", or choose whisper.'
        ) from error
