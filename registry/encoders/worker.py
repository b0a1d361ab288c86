"""The process that decodes media: `registry.encoders.worker SECONDS MEMORY_BYTES MODELS ENCODERS`.

The last two are paths, or empty: the models and the configuration of encoders. It reads requests
from stdin and answers on stdout until stdin ends. A message is four bytes of length, big-endian,
and so many bytes. A request is two: a JSON object {"media_type", "enrolling"}, then the media. A
reply is one JSON object: what was found, or {"error": {"code", "message"}}. A first reply, before
any request, says that it is ready.
"""

import contextlib
import io
import json
import os
import signal
import struct
import sys
import wave
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.video.frame import VideoFrame
from PIL import Image, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin

from registry.encoders import contents, image_hash, picture, sound
from registry.encoders.contents import Readers
from registry.encoders.sandbox import lock_down
from registry.errors import RegistryError, TooLargeError

_LENGTH = struct.Struct(">I")
# Pillow imports these when it meets such a file, which is too late here.
_PRELOADED = (MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)


def main(
    seconds: int, memory_bytes: int, models_dir: Path | None, encoders_file: Path | None
) -> None:
    """Answer requests until stdin ends; one that outlives `seconds` ends the process (SIGALRM)."""
    readers = Readers.open(models_dir, encoders_file)
    warm_up(readers)
    lock_down(memory_bytes)
    _write(sys.stdout.buffer, {"ready": image_hash.ENCODER_ID, "pid": os.getpid()})
    while (header := _read(sys.stdin.buffer)) is not None:
        data = _read(sys.stdin.buffer)
        if data is None:
            return
        signal.alarm(seconds)  # the parent waits less; this is for when it has died
        _write(sys.stdout.buffer, _answer(json.loads(header), data, readers))
        signal.alarm(0)


def _answer(header: dict[str, Any], data: bytes, readers: Readers) -> dict[str, object]:
    """What the media encodes to, or why it does not."""
    try:
        return contents.read(
            header["media_type"], data, readers, enrolling=header.get("enrolling") is True
        )
    except MemoryError:
        refusal: RegistryError = TooLargeError(
            "Reading this file needs more memory than is allowed. Send a smaller copy."
        )
    except RegistryError as error:
        refusal = error
    return {"error": {"code": refusal.code.value, "message": str(refusal)}}


def warm_up(readers: Readers) -> None:
    """Decode one file of each kind of our own: whatever is loaded at first use is loaded now."""
    ramp = Image.linear_gradient("L").resize((48, 48))
    for media_type, name in picture.FORMATS.items():
        for mode in ("RGB", "L") if name == "JPEG" else ("RGB", "L", "P"):
            file = io.BytesIO()
            ramp.convert(mode).save(file, name)
            contents.read(media_type, file.getvalue(), readers, enrolling=False)
    deep = io.BytesIO()
    ramp.convert("I;16").save(deep, "PNG")
    contents.read("image/png", deep.getvalue(), readers, enrolling=False)
    with contextlib.suppress(RegistryError):  # nobody speaks in it
        contents.read("audio/wav", _hum(), readers, enrolling=True)
    contents.read("video/mp4", _film(ramp), readers, enrolling=False)


def _hum() -> bytes:
    """Four seconds of a tone, as WAV: long enough to be taken for somebody's voice."""
    times = np.arange(4 * sound.RATE) / sound.RATE
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sound.RATE)
        writer.writeframes((8000 * np.sin(2 * np.pi * 150 * times)).astype("<i2").tobytes())
    return file.getvalue()


def _film(still: Image.Image) -> bytes:
    """A picture as an MP4 of one frame."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        track = container.add_stream("mpeg4", rate=10)
        track.width, track.height, track.pix_fmt = *still.size, "yuv420p"
        frame = VideoFrame.from_ndarray(np.asarray(still.convert("RGB")), "rgb24")
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return file.getvalue()


def _read(stream: BinaryIO) -> bytes | None:
    """The next message, or None at the end of the stream."""
    length = stream.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(length)
    message = stream.read(size)
    return message if len(message) == size else None


def _write(stream: BinaryIO, message: dict[str, object]) -> None:
    body = json.dumps(message).encode()
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


if __name__ == "__main__":
    paths = [Path(one) if one else None for one in (*sys.argv[3:5], "", "")[:2]]
    main(int(sys.argv[1]), int(sys.argv[2]), *paths)
