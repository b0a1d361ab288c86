"""Where in a recording somebody speaks: Silero VAD (MIT), all frames in one run of the network.

Music, tones, noise and silence are no speech to it. `silero_vad_16k_sequence.onnx` gives what the
streaming network gives frame by frame, to the bit, for half the time.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from registry.encoders.onnx_session import open_session

RATE: Final = 16_000
FRAME: Final = 512  # samples; 32 ms
STARTS: Final = 0.5  # speech probability from which a segment is one, the network's own default
ENDS: Final = 0.35  # and below which it ends
_CONTEXT = 64  # samples of the frame before that the network sees as well
_FRAMES_AT_ONCE = 512
_SHORTEST = 8  # frames: 0.25 s
_BRIDGED = 4  # frames of pause that do not end a segment: 0.13 s
_PADDING = 1  # frames kept on each side

Samples = npt.NDArray[np.float32]


class SpeechDetector:
    """The network. Its model is the bytes of an ONNX file."""

    def __init__(self, model: bytes) -> None:
        self._session: onnxruntime.InferenceSession = open_session(model, "The speech detector")

    def probabilities(self, pcm: Samples) -> Samples:
        """The probability of speech of each 32 ms, shape (frames,); 16 kHz mono in [-1, 1]."""
        frames = np.zeros((-(-len(pcm) // FRAME), FRAME), np.float32)
        frames.reshape(-1)[: len(pcm)] = pcm
        seen = np.zeros((len(frames), _CONTEXT + FRAME), np.float32)
        seen[:, _CONTEXT:] = frames
        seen[1:, :_CONTEXT] = frames[:-1, -_CONTEXT:]
        hidden = cell = np.zeros((1, 1, 128), np.float32)
        found = [np.zeros(0, np.float32)]
        for start in range(0, len(seen), _FRAMES_AT_ONCE):
            block = {"input": seen[start : start + _FRAMES_AT_ONCE], "h": hidden, "c": cell}
            values, hidden, cell = self._session.run(["speech_probs", "hn", "cn"], block)
            found.append(values.reshape(-1))
        return np.concatenate(found)

    def segments(self, pcm: Samples) -> list[tuple[float, float]]:
        """Start and end, in seconds, of each stretch of speech of at least 0.25 s, in order."""
        if not len(pcm):
            return []
        end = len(pcm) / RATE
        return [
            (max(first - _PADDING, 0) * FRAME / RATE, min((last + _PADDING) * FRAME / RATE, end))
            for first, last in _stretches(self.probabilities(pcm))
        ]


def _stretches(probabilities: Samples) -> list[tuple[int, int]]:
    """Frames [first, last) of speech: entered above STARTS, left below ENDS, short pauses in it."""
    found: list[list[int]] = []
    speaking = False
    for at, value in enumerate(probabilities.tolist()):
        if not speaking and value >= STARTS:
            speaking = True
            if not found or at - found[-1][1] > _BRIDGED:
                found.append([at, at])
        elif speaking and value < ENDS:
            speaking = False
        if speaking:
            found[-1][1] = at + 1
    return [(first, last) for first, last in found if last - first >= _SHORTEST]
