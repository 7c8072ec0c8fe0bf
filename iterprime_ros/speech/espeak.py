"""A voice for tests and demonstrations: espeak-ng, as the wheel espeakng-loader ships it."""

import ctypes
import threading
from functools import cache
from importlib import import_module

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from iterprime_ros.errors import MissingDependencyError
from iterprime_ros.speech.recognizer import SAMPLE_RATE

# speak_lib.h of espeak-ng.
_SYNCHRONOUS_RETRIEVAL = 2
_CHARACTERS_UTF8 = 1
_RATE = 1  # espeak_PARAMETER, words per minute
_SLOWEST, _FASTEST = 80, 450
_BUFFER_MS = 200
_NAMES = {'en-gb': 'en'}  # a language whose voice has another name

_lock = threading.Lock()  # the library has one state
_chunks: list[NDArray[np.int16]] = []
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@_Callback
def _keep(samples: 'ctypes._Pointer[ctypes.c_short]', count: int, _events: int) -> int:
    if samples and count > 0:
        _chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
    return 0


def speak(text: str, voice: str = 'en-us', words_per_minute: int = 140) -> NDArray[np.float32]:
    """Return a text spoken, (N,) float32 in [-1, 1] at SAMPLE_RATE.

    voice: a language of espeak-ng, after + a variant: 'en-us', 'en-gb', 'en-us+f3'.
    words_per_minute: from 80 to 450.

    Raises ValueError for a voice that there is not, or a speed out of range, and
    MissingDependencyError without the wheel espeakng-loader.
    """
    if not _SLOWEST <= words_per_minute <= _FASTEST:
        raise ValueError(f'A speed is from {_SLOWEST} to {_FASTEST}, not {words_per_minute}.')
    language, *variant = voice.split('+')
    name = '+'.join([_NAMES.get(language, language), *variant])
    with _lock:
        library, rate = _library()
        if library.espeak_SetVoiceByName(name.encode()):
            raise ValueError(f'espeak-ng has no voice "{voice}".')
        library.espeak_SetParameter(_RATE, words_per_minute, 0)
        _chunks.clear()
        spoken = text.encode()
        library.espeak_Synth(spoken, len(spoken) + 1, 0, 0, 0, _CHARACTERS_UTF8, None, None)
        library.espeak_Synchronize()
        samples = np.concatenate([np.zeros(0, np.int16), *_chunks])
    common = np.gcd(rate, SAMPLE_RATE)
    sound = resample_poly(samples / 32768, SAMPLE_RATE // common, rate // common)
    return np.clip(sound, -1, 1).astype(np.float32)


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    """Return the library, initialised once for the process, and its sample rate in Hz."""
    try:
        loader = import_module('espeakng_loader')
    except ImportError as error:
        raise MissingDependencyError(
            'The voice espeak-ng is missing: pip install espeakng-loader.'
        ) from error
    library = ctypes.CDLL(loader.get_library_path())
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint,
        ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    data = loader.get_data_path().encode()
    rate = library.espeak_Initialize(_SYNCHRONOUS_RETRIEVAL, _BUFFER_MS, data, 0)
    library.espeak_SetSynthCallback(_keep)
    return library, rate
