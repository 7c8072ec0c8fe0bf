"""Sound from files and from the microphone, as float32 at SAMPLE_RATE."""

import queue
import wave
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from iterprime_ros.errors import InvalidSettingError, MissingDependencyError
from iterprime_ros.speech.recognizer import SAMPLE_RATE

BLOCK = SAMPLE_RATE // 10  # samples of a block
_LOWEST_RATE, _HIGHEST_RATE = 4_000, 192_000  # Hz
_OFFSETS = {1: 128}  # WAV is unsigned where a sample has one byte
_QUEUED = 600  # blocks, one minute
_FRAME = SAMPLE_RATE // 50  # samples of which the power is measured
_QUIET = 0.1  # share of the frames that are taken for noise alone
_NOISE_SHARE = 0.01  # of the mean power


def read_wav(file: str | Path) -> NDArray[np.float32]:
    """Return the sound of a WAV file (PCM of 8, 16, 24 or 32 bits), its channels averaged.

    (N,) float32 in [-1, 1] at SAMPLE_RATE. Raises InvalidSettingError for another file.
    """
    try:
        with wave.open(str(file), 'rb') as sound:
            channels, width, rate, count, *_ = sound.getparams()
            data = sound.readframes(count)
    except (OSError, EOFError, wave.Error) as error:
        raise InvalidSettingError(f'{file} cannot be read as a WAV file: {error}.') from error
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE or width not in (1, 2, 3, 4):
        raise InvalidSettingError(
            f'{file} has {8 * width} bits at {rate} Hz: write it as 16 bits at {SAMPLE_RATE} Hz.'
        )
    data = data[: len(data) // (width * channels) * (width * channels)]
    samples = _integers(data, width).reshape(-1, channels).mean(axis=1)
    full = 2.0 ** (8 * width - 1)
    return resampled((samples - _OFFSETS.get(width, 0)) / full, rate)


def write_wav(file: str | Path, sound: NDArray[np.float32]) -> None:
    """Write a sound (N,) in [-1, 1] at SAMPLE_RATE as a WAV file of 16 bits."""
    with wave.open(str(file), 'wb') as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(to_pcm(sound))


def resampled(sound: NDArray[np.floating[Any]], rate: int) -> NDArray[np.float32]:
    """Return a sound (N,) of a sample rate in Hz at SAMPLE_RATE, clipped to [-1, 1]."""
    common = int(np.gcd(rate, SAMPLE_RATE))
    if rate != SAMPLE_RATE and len(sound):
        sound = resample_poly(sound, SAMPLE_RATE // common, rate // common)
    return np.clip(sound, -1, 1).astype(np.float32)


def to_pcm(sound: NDArray[np.float32]) -> bytes:
    """Return a sound in [-1, 1] as little-endian int16; what is no number is silence."""
    safe = np.clip(np.nan_to_num(sound, posinf=0, neginf=0), -1, 1)
    return (safe * 32767).round().astype('<i2').tobytes()


class Microphone:
    """The sound of a microphone, in blocks of BLOCK samples.

    device: name or number as sounddevice knows it; '' for the default.

    Raises MissingDependencyError without sounddevice or PortAudio, and InvalidSettingError where
    the device cannot be opened.
    """

    def __init__(self, device: str = '') -> None:
        try:
            library = import_module('sounddevice')
        except (ImportError, OSError) as error:  # OSError: without the library PortAudio
            raise MissingDependencyError(
                'The microphone needs sounddevice and PortAudio: pip install sounddevice, and '
                f'apt-get install libportaudio2 ({error}).'
            ) from error
        self._blocks: queue.Queue[NDArray[np.float32]] = queue.Queue(_QUEUED)
        self.dropped = 0
        chosen = int(device) if device.isdigit() else device or None
        try:
            self._stream = library.InputStream(
                samplerate=SAMPLE_RATE,
                blocksize=BLOCK,
                device=chosen,
                channels=1,
                dtype='float32',
                callback=self._take,
            )
            self._stream.start()
        except (library.PortAudioError, ValueError) as error:
            raise InvalidSettingError(
                f'The microphone "{device or "default"}" cannot be opened ({error}): name one that '
                '`python -m sounddevice` lists.'
            ) from error

    def _take(self, data: NDArray[np.float32], _count: int, _time: Any, _status: Any) -> None:
        try:
            self._blocks.put_nowait(data[:, 0].copy())
        except queue.Full:
            self.dropped += 1

    def read(self, seconds: float) -> NDArray[np.float32] | None:
        """Return the next block, or None where none comes in time."""
        try:
            return self._blocks.get(timeout=seconds)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Release the device."""
        self._stream.close()


def blocks(sound: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield a sound in blocks of BLOCK samples; the last may be shorter."""
    for start in range(0, len(sound), BLOCK):
        yield sound[start : start + BLOCK]


class NoiseFloor:
    """Raises the noise of a sound to 20 dB below the mean power of what was heard.

    An acoustic model that has learnt from recordings has heard no pause without noise: of voices
    out of a loudspeaker's wire it understands more with noise than without.
    """

    def __init__(self) -> None:
        self._powers: list[float] = []
        self._rng = np.random.default_rng(0)

    def raised(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the next samples (N,) of the sound with noise added, white and always the same."""
        frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
        self._powers += np.square(frames, dtype=np.float64).mean(axis=1).tolist()
        if not self._powers:
            return samples
        wanted = np.mean(self._powers) * _NOISE_SHARE
        lacking = max(0.0, wanted - np.quantile(self._powers, _QUIET))
        noise = self._rng.normal(0, np.sqrt(lacking), len(samples))
        return np.clip(samples + noise, -1, 1).astype(np.float32)


def _integers(data: bytes, width: int) -> NDArray[np.float64]:
    if width == 3:
        triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(triples), 4), np.uint8)
        wide[:, 1:] = triples
        return wide.view('<i4')[:, 0] / 256.0
    return np.frombuffer(data, {1: 'u1', 2: '<i2', 4: '<i4'}[width]).astype(np.float64)
