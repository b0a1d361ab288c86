from pathlib import Path

import numpy as np
import pytest

from registry.encoders.speech import FRAME, RATE, SpeechDetector, _stretches
from tests.registry.encoders import voices
from tests.registry.encoders.voices import Samples


@pytest.fixture(scope="session")
def detector(models_dir: Path) -> SpeechDetector:
    return SpeechDetector((models_dir / "silero-vad.onnx").read_bytes())


def seconds(segments: list[tuple[float, float]]) -> float:
    return sum(end - start for start, end in segments)


@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "en+m7", "de+f2", "cmn"])
def test_speech_is_found(detector: SpeechDetector, voice: str) -> None:
    pcm = voices.said(voice=voice)
    assert seconds(detector.segments(pcm)) > 0.85 * len(pcm) / RATE


def test_speech_is_found_where_it_is(detector: SpeechDetector) -> None:
    speech = voices.said()
    pcm = np.concatenate(
        [voices.silence(2), speech, voices.silence(1.5), speech, voices.silence(1)]
    )
    segments = detector.segments(pcm)
    assert segments[0][0] == pytest.approx(2, abs=0.25)
    assert segments[-1][1] == pytest.approx(3.5 + 2 * len(speech) / RATE, abs=0.35)
    assert not any(start < 2.5 + len(speech) / RATE < end for start, end in segments)


@pytest.mark.parametrize("seed", range(4))
def test_speech_is_found_in_noise(detector: SpeechDetector, seed: int) -> None:
    pcm = voices.said() + voices.noise(len(voices.said()) / RATE, seed=seed) * np.float32(0.2)
    assert seconds(detector.segments(pcm)) > 0.6 * len(pcm) / RATE


NO_SPEECH: dict[str, Samples] = {
    "silence": voices.silence(5),
    "noise": voices.noise(10),
    "tone": voices.tone(10),
    "high tone": voices.tone(10, 3_000),
    "nothing": np.zeros(0, np.float32),
    "constant": np.full(RATE, 0.5, np.float32),
    **{f"music {seed}": voices.music(seed=seed) for seed in range(6)},
}


@pytest.mark.parametrize("what", NO_SPEECH)
def test_what_is_no_speech_is_not_taken_for_it(detector: SpeechDetector, what: str) -> None:
    assert seconds(detector.segments(NO_SPEECH[what])) < 0.6


def test_blocks_do_not_show(detector: SpeechDetector) -> None:
    speech = np.tile(voices.said(), 6)
    whole = detector.probabilities(speech)
    assert len(whole) == -(-len(speech) // FRAME) > 512  # more than one block
    part = detector.probabilities(speech[: 500 * FRAME])
    assert np.allclose(whole[:500], part, atol=1e-5)


def test_a_segment_bridges_short_pauses_and_is_not_short() -> None:
    def found(*runs: tuple[float, int]) -> list[tuple[int, int]]:
        return _stretches(np.repeat([one for one, _ in runs], [many for _, many in runs]))

    assert found((0.0, 5), (0.9, 20), (0.1, 3), (0.9, 20), (0.1, 30)) == [(5, 48)]
    assert found((0.0, 5), (0.9, 20), (0.1, 6), (0.9, 20), (0.1, 30)) == [(5, 25), (31, 51)]
    assert found((0.9, 7), (0.1, 30)) == []
    assert found((0.4, 40)) == []
    assert found((0.9, 8), (0.4, 40)) == [(0, 48)]  # it goes on until it is below 0.35
