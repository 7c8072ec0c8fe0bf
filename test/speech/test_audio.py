"""Sound from WAV files of every width, rate and number of channels."""

import sys
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from iterprime_ros.errors import InvalidSettingError, MissingDependencyError
from iterprime_ros.speech.audio import (
    BLOCK,
    Microphone,
    blocks,
    read_wav,
    resampled,
    to_pcm,
    write_wav,
)
from iterprime_ros.speech.recognizer import SAMPLE_RATE

TONE = np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32) * 0.5


def write(file, width, rate, channels, sound):
    full = 2 ** (8 * width - 1)
    values = np.repeat((sound * (full - 1)).astype(np.int64)[:, None], channels, axis=1)
    if width == 1:
        data = (values + 128).astype(np.uint8).tobytes()
    else:
        data = values.astype('<i8').view(np.uint8).reshape(-1, 8)[:, :width].tobytes()
    with wave.open(str(file), 'wb') as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(data)


@pytest.mark.parametrize('width', [1, 2, 3, 4])
@pytest.mark.parametrize('channels', [1, 2])
def test_every_width_gives_the_same_sound(tmp_path, width, channels):
    write(tmp_path / 'a.wav', width, SAMPLE_RATE, channels, TONE)
    np.testing.assert_allclose(read_wav(tmp_path / 'a.wav'), TONE, atol=0.02)


@pytest.mark.parametrize('rate', [8000, 22_050, 44_100, 48_000])
def test_every_rate_gives_the_same_tone(tmp_path, rate):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    write(tmp_path / 'a.wav', 2, rate, 1, tone)
    sound = read_wav(tmp_path / 'a.wav')
    assert len(sound) == pytest.approx(SAMPLE_RATE, abs=2)
    assert int(np.abs(np.fft.rfft(sound)).argmax()) == 440


def test_what_is_written_is_read(tmp_path):
    write_wav(tmp_path / 'a.wav', TONE)
    np.testing.assert_allclose(read_wav(tmp_path / 'a.wav'), TONE, atol=1e-4)


@pytest.mark.parametrize('content', [None, b'', b'RIFF', b'no sound at all' * 10])
def test_other_files_are_refused(tmp_path, content):
    file = tmp_path / 'a.wav'
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidSettingError, match=r'a\.wav'):
        read_wav(file)


@settings(deadline=None)
@given(arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32)))
def test_any_samples_become_pcm(sound):
    values = np.frombuffer(to_pcm(sound), '<i2')
    assert len(values) == len(sound)
    good = np.isfinite(sound)
    expected = np.clip(sound[good].astype(np.float64), -1, 1) * 32767
    np.testing.assert_allclose(values[good], expected, atol=0.51)
    assert not values[~good].any()


@settings(deadline=None)
@given(st.integers(0, 3 * BLOCK + 1))
def test_blocks_are_the_whole_sound(length):
    sound = np.arange(length, dtype=np.float32)
    parts = list(blocks(sound))
    assert all(len(part) <= BLOCK for part in parts)
    np.testing.assert_array_equal(np.concatenate([sound[:0], *parts]), sound)


def test_silence_of_any_rate_stays_empty():
    assert resampled(np.zeros(0), 44_100).shape == (0,)


def test_a_microphone_without_its_library_names_the_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sounddevice', None)
    with pytest.raises(MissingDependencyError, match='libportaudio2'):
        Microphone()


def test_a_microphone_that_is_not_there_is_named():
    pytest.importorskip('sounddevice', exc_type=OSError)
    with pytest.raises(InvalidSettingError, match='no such microphone'):
        Microphone('no such microphone')
