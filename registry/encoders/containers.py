"""Sound and video opened from memory, with the one demuxer of their type and a few known decoders.

Whatever else a file refers to is not opened: no protocol is allowed, and in the worker no file is.
"""

import contextlib
import io
from collections.abc import Iterator
from typing import Final, NoReturn

import av
from av.audio import codeccontext as sound_codec
from av.audio import stream as sound_track
from av.container import InputContainer
from av.stream import Stream
from av.subtitles import codeccontext as text_codec
from av.subtitles import stream as text_track
from av.video import codeccontext as video_codec
from av.video import stream as video_track

from registry.errors import MediaError

# PyAV imports these when it meets such a track, which is too late in the worker.
_PRELOADED = (sound_codec, sound_track, text_codec, text_track, video_codec, video_track)
DEMUXERS: Final = {
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/webm": "matroska",
    "video/webm": "matroska",
    "audio/mp4": "mov",
    "video/mp4": "mov",
}
_PCM = (
    *("pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"),
    *("pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
)
SOUND_DECODERS: Final = frozenset(
    {*_PCM, "aac", "alac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis"}
    | {"adpcm_ima_wav", "adpcm_ms", "amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb"}
)
VIDEO_DECODERS: Final = frozenset({"h264", "hevc", "mpeg4", "vp8", "vp9", "libdav1d", "av1"})
_OPTIONS: Final = {
    "codec_whitelist": ",".join(sorted(SOUND_DECODERS | VIDEO_DECODERS)),
    "format_whitelist": "wav,flac,mp3,ogg,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2",
    "protocol_whitelist": "none",
    "max_streams": "16",
}


@contextlib.contextmanager
def opened(data: bytes, media_type: str) -> Iterator[InputContainer]:
    """The file, demuxed as `media_type` and nothing else. Raises KeyError and what PyAV raises."""
    container = av.open(
        io.BytesIO(data),
        "r",
        format=DEMUXERS[media_type],
        container_options=_OPTIONS,
        metadata_errors="replace",
        io_open=_refuse,
    )
    with container:
        yield container


def prepare(stream: Stream, decoders: frozenset[str]) -> None:
    """Decode this track in this thread, by one of these decoders; else raises MediaError."""
    context = stream.codec_context
    if context is None or context.name not in decoders:
        raise MediaError("This file's codec is not read here. Send it as MP3, AAC, Opus or H.264.")
    context.thread_type = "NONE"
    context.thread_count = 1


def _refuse(*_: object) -> NoReturn:
    raise PermissionError("A media file may not open another.")
