"""What the browser's camera and microphone see and hear: a photograph that moves, and a voice.

Chromium reads both from files (https://www.chromium.org, `--use-file-for-fake-video-capture`).
"""

import io
from pathlib import Path

from PIL import Image

from registry.recordings import spoken

WIDTH, HEIGHT = 640, 480
FRAMES = 12
FRAMES_PER_SECOND = 10
SWAY = 3  # pixels from frame to frame: a camera held by a hand
SENTENCE = (
    "I say no to every use of my voice, and I say so on a Wednesday, in plain words, with the"
    " window open and the kettle on, for as long as it takes to be heard."
)
OTHER_SENTENCE = (
    "The harbour was quiet when the ferry came in, and nobody on the pier spoke a word until the"
    " rope was tied to the old iron ring."
)
VOICE = "en-us+f3"


def camera(photo: bytes, path: Path) -> Path:
    """A video of this photograph, uncompressed (YUV4MPEG2, 4:2:0)."""
    still = Image.open(io.BytesIO(photo)).convert("RGB")
    side = min(still.size)
    still = still.crop((0, 0, side, side)).resize((HEIGHT, HEIGHT))
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FRAMES_PER_SECOND}:1 Ip A1:1 C420\n".encode())
        for at in range(FRAMES):
            frame = Image.new("RGB", (WIDTH, HEIGHT), (90, 100, 110))
            sway = SWAY * abs(FRAMES // 2 - at)  # there and back, so that it can start again
            frame.paste(still, ((WIDTH - HEIGHT) // 2 + sway, 0))
            luma, *chroma = frame.convert("YCbCr").split()
            file.write(b"FRAME\n" + luma.tobytes())
            for plane in chroma:
                file.write(plane.resize((WIDTH // 2, HEIGHT // 2)).tobytes())
    return path


def microphone(path: Path) -> Path:
    """A recording of somebody who speaks."""
    path.write_bytes(spoken(SENTENCE, VOICE))
    return path
