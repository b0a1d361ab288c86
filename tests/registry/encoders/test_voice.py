import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from registry.encoders import sound, speakers
from registry.encoders.identity import VOICE, VOICE_DIMENSIONS, Condition
from registry.encoders.models import Models
from registry.encoders.speakers import Window, grouped, windows_of
from registry.encoders.voice import MOST_VOICES, Voice, VoiceReader
from registry.errors import SetupError
from tests.registry.encoders import voices
from tests.registry.encoders.voices import Samples

WIDE, TELEPHONE = (VOICE, Condition.WIDE), (VOICE, Condition.TELEPHONE)


@pytest.fixture(scope="session")
def reader(models_dir: Path) -> VoiceReader:
    return VoiceReader.open(Models.open(models_dir))


def one(reader: VoiceReader, pcm: Samples, *, enrolling: bool = False) -> Voice:
    (found,) = reader.read(pcm, enrolling=enrolling)
    return found


def test_a_probe_has_the_vector_of_its_own_condition(reader: VoiceReader) -> None:
    pcm = voices.said()
    wide, narrow = one(reader, pcm), one(reader, sound.telephone(pcm))
    assert (wide.condition, narrow.condition) == (Condition.WIDE, Condition.TELEPHONE)
    assert wide.vectors.keys() == {WIDE}
    assert narrow.vectors.keys() == {TELEPHONE}
    assert wide.trouble is None
    assert wide.vectors[WIDE].shape == (VOICE_DIMENSIONS,)
    assert wide.vectors[WIDE].dtype == np.float32
    assert np.linalg.norm(wide.vectors[WIDE]) == pytest.approx(1, abs=1e-5)
    assert wide.start < 0.2
    assert wide.end == pytest.approx(len(pcm) / sound.RATE, abs=0.4)


def test_an_enrolment_has_a_template_for_the_telephone_too(reader: VoiceReader) -> None:
    pcm = voices.said()
    wide, narrow = (one(reader, each, enrolling=True) for each in (pcm, sound.telephone(pcm)))
    assert wide.vectors.keys() == {WIDE, TELEPHONE}
    assert narrow.vectors.keys() == {TELEPHONE}
    called = one(reader, sound.telephone(voices.said(voices.SECOND)))
    alike = float(wide.vectors[TELEPHONE] @ called.vectors[TELEPHONE])
    assert alike > 0.7
    assert alike > float(wide.vectors[WIDE] @ called.vectors[TELEPHONE])


def test_one_speaker_is_near_himself_and_far_from_others(reader: VoiceReader) -> None:
    speakers_ = ("en-us+f3", "en-us+m7", "en-us+croak")
    first = [one(reader, voices.said(voice=each)).vectors[WIDE] for each in speakers_]
    second = [one(reader, voices.said(voices.SECOND, each)).vectors[WIDE] for each in speakers_]
    alike = np.array(first) @ np.array(second).T
    assert alike.diagonal().min() > 0.6
    assert (alike - 2 * np.eye(3)).max() < 0.6
    assert (alike.argmax(axis=1) == [0, 1, 2]).all()


@pytest.mark.parametrize("kind", voices.TYPES)
def test_the_kind_of_file_does_not_matter(reader: VoiceReader, kind: str) -> None:
    pcm = sound.decode(voices.recording(kind), voices.TYPES[kind])
    plain = one(reader, voices.said()).vectors[WIDE]
    assert float(one(reader, pcm).vectors[WIDE] @ plain) > 0.75


@pytest.mark.parametrize("gain", [0.003, 0.05, 1.3])
def test_loudness_does_not_matter(reader: VoiceReader, gain: float) -> None:
    pcm = voices.said()
    louder = one(reader, pcm * np.float32(gain)).vectors[WIDE]
    assert float(louder @ one(reader, pcm).vectors[WIDE]) > 0.999


def test_two_speakers_are_two_voices(reader: VoiceReader) -> None:
    her, him = voices.said(), voices.said(voices.SECOND, "en-us+m7")
    pcm = np.concatenate([her, voices.silence(0.6), him])
    first, second = reader.read(pcm, enrolling=False)
    assert first.end <= second.start + 0.3
    for found, alone in ((first, her), (second, him)):
        assert found.trouble is None
        assert float(found.vectors[WIDE] @ one(reader, alone).vectors[WIDE]) > 0.9


def test_one_speaker_of_many_sentences_is_one_voice(reader: VoiceReader) -> None:
    parts = [voices.said(), voices.silence(0.5), voices.said(voices.SECOND), voices.silence(0.5)]
    found = one(reader, np.concatenate(parts * 2))
    assert found.trouble is None
    assert found.seconds > 12


NOBODY = {
    "nothing": np.zeros(0, np.float32),
    "silence": voices.silence(5),
    "nearly silence": voices.noise(5) * np.float32(1e-5),
    "noise": voices.noise(5),
    "tone": voices.tone(5),
    "music": voices.music(),
    "no numbers": np.full(50_000, np.nan, np.float32),
    "one that is none": np.append(voices.said(), np.float32(np.inf)),
    "constant": np.full(50_000, 0.5, np.float32),
}


@pytest.mark.parametrize("what", NOBODY)
@pytest.mark.parametrize("enrolling", [False, True])
def test_where_nobody_speaks_one_voice_says_so(
    reader: VoiceReader, what: str, *, enrolling: bool
) -> None:
    found = one(reader, NOBODY[what], enrolling=enrolling)
    assert found.trouble
    assert not found.vectors


@pytest.mark.parametrize("seconds", [0.4, 0.8, 1.3])
def test_too_little_speech_is_said_to_be(reader: VoiceReader, seconds: float) -> None:
    short = voices.said()[8_000 : 8_000 + round(seconds * sound.RATE)]
    found = one(reader, np.concatenate([voices.silence(1), short, voices.silence(3)]))
    assert not found.vectors
    assert found.trouble is not None
    assert "at least 1.5 s are needed" in found.trouble


def test_120_seconds_cost_no_more_than_30(reader: VoiceReader) -> None:
    pcm = np.tile(np.concatenate([voices.said(), voices.said(voices.SECOND)]), 20)
    pcm = pcm[: 120 * sound.RATE]
    began = time.process_time()
    found = one(reader, pcm)
    assert time.process_time() - began < 6.0
    assert found.trouble is None
    assert found.end > 100  # of the whole, not of its beginning


def test_more_voices_than_are_told_apart_are_no_silence() -> None:
    def voice(number: int) -> Voice:
        return Voice(number, number + 3.0, 3.0, Condition.WIDE, None, {})

    from registry.encoders.voice import _at_most  # noqa: PLC0415 - what no synthesiser provokes

    found = _at_most([voice(number) for number in range(12)])
    assert len(found) == MOST_VOICES
    assert [one.trouble for one in found].count(None) == MOST_VOICES - 1


def test_without_a_model_the_reader_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="likeness models install"):
        VoiceReader.open(Models.open(tmp_path))


def test_windows_hold_all_speech_once_and_are_neither_long_nor_short() -> None:
    chance = np.random.default_rng(2)
    for _ in range(200):
        at, segments = 0.0, []
        for _ in range(chance.integers(1, 20)):
            at += chance.uniform(0.13, 1.5)
            segments.append((at, at := at + chance.uniform(0.25, 12)))
        windows = windows_of(segments)
        total = sum(end - start for start, end in segments)
        assert sum(one.seconds for one in windows) == pytest.approx(total)
        assert all(one.seconds <= speakers.LONGEST + 1e-6 for one in windows)
        assert total < 1.5 or all(one.seconds > 1.4 for one in windows)
        order = [piece for one in windows for piece in one.pieces]
        assert order == sorted(order)


def test_windows_end_at_pauses() -> None:
    windows = windows_of([(0.0, 3.0), (3.5, 6.0), (6.1, 8.0)])
    assert windows == [Window(((0.0, 3.0),)), Window(((3.5, 6.0), (6.1, 8.0)))]


def test_windows_that_are_alike_are_one_group() -> None:
    east, north = np.eye(2, dtype=np.float32)
    assert grouped(np.array([east, north, east, north])) == [[0, 2], [1, 3]]
    assert grouped(np.array([east])) == [[0]]
    between = np.array([0.6, 0.8], np.float32)
    assert grouped(np.array([east, between])) == [[0, 1]]


LOCKED = """
import sys
from pathlib import Path
import numpy as np
from registry.encoders.models import Models
from registry.encoders.sandbox import lock_down
from registry.encoders.voice import VoiceReader
reader = VoiceReader.open(Models.open(Path(sys.argv[1])))
pcm = np.frombuffer(sys.stdin.buffer.read(), np.float32)
lock_down(1500 * 2**20)
for found in reader.read(pcm, enrolling=True):
    sys.stdout.write(f"{found.trouble} {len(found.vectors)}\\n")
"""


def test_voices_are_read_in_a_process_that_may_open_nothing(models_dir: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOCKED, str(models_dir)],
        input=voices.said().tobytes(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode() == "None 2\n"
