"""Frames of a video, spread over its time: upright RGB, reduced, 32 at most.

A short video is decoded whole, of a long one the key frames alone. Only the worker process calls
this with a stranger's bytes: a decoder may fail in any way.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from registry.encoders.containers import VIDEO_DECODERS, opened, prepare
from registry.errors import MediaError, RegistryError, TooLargeError

FRAMES: Final = 32
SIDE: Final = 768
FRAME_PIXELS: Final = 20_000_000
WHOLE_PIXELS: Final = 200_000_000  # of all frames: 3 s of 1080p; more is sampled at key frames
SECONDS: Final = 2.0  # of wall time, after which what has been decoded is what there is
_PACKETS = 200_000

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: when it is shown, its pixels (height, width, 3), and its full (height, width)."""

    seconds: float
    rgb: Pixels
    size: tuple[int, int]


def tracks(data: bytes, media_type: str) -> tuple[bool, bool]:
    """Whether there are frames, and whether there is sound; a cover picture is no frame.

    Raises MediaError for bytes that are no such container.
    """
    try:
        with opened(data, media_type) as container:
            return any(_moving(container)), bool(container.streams.audio)
    except (MemoryError, RegistryError):
        raise
    except Exception as error:
        raise _damaged() from error


def frames(data: bytes, media_type: str, most: int = FRAMES) -> list[Frame]:
    """Up to `most` frames in the order of time, each with its longer side at most 768 pixels.

    Raises TooLargeError for frames of more than 20 million pixels, and MediaError where not one
    frame can be decoded; where some can, damage behind them is left out.
    """
    found: list[Frame] = []
    try:
        with opened(data, media_type) as container:
            for frame in islice(_chosen(container, most), most):
                found.append(frame)  # noqa: PERF402 - what came before an error is kept
    except (MemoryError, RegistryError):
        raise
    except Exception as error:
        if not found:
            raise _damaged() from error
    if not found:
        raise _damaged()
    return found


def _chosen(container: InputContainer, most: int) -> Iterator[Frame]:
    stream = next(_moving(container), None)
    if stream is None:
        raise MediaError("This video has no frames. Send it as sound.")
    prepare(stream, VIDEO_DECODERS)
    pixels = stream.codec_context.width * stream.codec_context.height
    _refuse_larger(pixels)
    packets = _packets(container, stream)
    if not packets:
        return
    base = float(stream.time_base or 0)
    times = [float(one.pts or 0) * base for one in packets]
    first = min(times)
    step = (max(times) - first) / most
    due = first
    for frame in _decoded(stream, _worth_decoding(packets, pixels, most)):
        at = float(frame.pts or 0) * base
        if at >= due:
            due += (int((at - due) / step) + 1) * step if step else 0.0
            yield _reduced(frame, at)


def _moving(container: InputContainer) -> Iterator[VideoStream]:
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    return (one for one in container.streams.video if not one.disposition & covers)


def _packets(container: InputContainer, stream: VideoStream) -> list["Packet[VideoStream]"]:
    """The track's packets, as far as they can be read."""
    found: list[Packet[VideoStream]] = []
    try:
        for packet in container.demux(stream):
            if packet.size:
                found.append(packet)
            if len(found) >= _PACKETS:
                break
    except av.error.FFmpegError:
        if not found:
            raise
    return found


def _worth_decoding(
    packets: Sequence["Packet[VideoStream]"], pixels: int, most: int
) -> Sequence["Packet[VideoStream]"]:
    """All of them, or of a long video key frames, as many as are wanted, spread over it."""
    if len(packets) * pixels <= WHOLE_PIXELS:
        return packets
    keys = [one for one in packets if one.is_keyframe] or packets[:1]
    count = min(len(keys), most)
    return [keys[at * len(keys) // count] for at in range(count)]


def _decoded(stream: VideoStream, packets: Sequence["Packet[VideoStream]"]) -> Iterator[VideoFrame]:
    """What decodes, until the time is over."""
    until = time.monotonic() + SECONDS
    for packet in (*packets, None):
        try:
            decoded = stream.codec_context.decode(packet)
        except av.error.InvalidDataError:
            continue
        yield from decoded
        if time.monotonic() > until:
            return


def _reduced(frame: VideoFrame, seconds: float) -> Frame:
    _refuse_larger(frame.width * frame.height)
    scale = min(SIDE / max(frame.width, frame.height), 1.0)
    width, height = (max(round(side * scale), 1) for side in (frame.width, frame.height))
    small = frame.reformat(width, height, "rgb24", interpolation="AREA", threads=1)
    turns = round(frame.rotation / 90) % 4  # counter-clockwise, as rot90 turns
    rgb = np.ascontiguousarray(np.rot90(small.to_ndarray(), turns), np.uint8)
    sideways = turns % 2 == 1
    size = (frame.width, frame.height) if sideways else (frame.height, frame.width)
    return Frame(seconds, rgb, size)


def _refuse_larger(pixels: int) -> None:
    if pixels > FRAME_PIXELS:
        raise TooLargeError(
            f"This video's frames have more than {FRAME_PIXELS // 10**6} million pixels, the most "
            "that is read. Send a smaller copy."
        )


def _damaged() -> MediaError:
    return MediaError(
        "This video is damaged or cut off. Send the whole file again, or a copy saved anew by a "
        "video program."
    )
