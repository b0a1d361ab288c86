import numpy as np
import pytest

from registry.encoders.sniffing import SNIFF_BYTES, sniff
from registry.recordings import as_media, as_video
from tests.registry.encoders.hostile import FORMATS, saved, scene

RATE = 22_050
TONE = np.sin(np.arange(RATE, dtype=np.float32) * 0.2) * np.float32(0.3)
KINDS = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
    "webm": "video/webm",
}
EBML = b"\x1aE\xdf\xa3"
OTHERS = {
    "hls": b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nfile:///etc/passwd\n",
    "ffconcat": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "script": b"#!/bin/sh\necho hello\n",
    "html": b"<html><body><audio src=x></audio></body></html>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "pdf": b"%PDF-1.7\n",
    "zip": b"PK\x03\x04" + bytes(40),
    "avi": b"RIFF\x00\x10\x00\x00AVI LIST",
    "aiff": b"FORM\x00\x10\x00\x00AIFFCOMM",
    "adts": b"\xff\xf1\x50\x80\x02\x1f\xfc",
    "layer 1": b"\xff\xff\x50\x80",
    "layer 2": b"\xff\xfd\x50\x80",
    "free bit rate": b"\xff\xfb\x00\x80",
    "no sample rate": b"\xff\xfb\x9c\x80",
    "reserved emphasis": b"\xff\xfb\x90\x82",
    "utf-16": "recording".encode("utf-16"),
    "ff": b"\xff" * 64,
    "avif": b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00",
    "heic": b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00",
    "ebml of another kind": EBML + b"\x9f\x42\x86\x81\x01\x42\x82\x84subs",
    "id3 of no version": b"ID3\x04\x00\x00\xff\xff\xff\xff",
    "empty": b"",
    "zeros": bytes(64),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_recording_is_told_by_its_first_bytes(kind: str) -> None:
    assert sniff(as_media(TONE, RATE, kind)[:SNIFF_BYTES]) == KINDS[kind]


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_a_video_is_told_by_its_first_bytes(kind: str) -> None:
    frames = [np.full((64, 64, 3), 90, np.uint8)] * 3
    assert sniff(as_video(frames, TONE, kind)[:SNIFF_BYTES]) == f"video/{kind}"


@pytest.mark.parametrize("media_type", FORMATS)
def test_pictures_are_told_as_before(media_type: str) -> None:
    assert sniff(saved(scene(), FORMATS[media_type])[:SNIFF_BYTES]) == media_type


def test_an_mp3_without_a_tag_is_told_by_its_frame() -> None:
    assert sniff(b"\xff\xfb\x90\x64" + bytes(60)) == "audio/mpeg"
    assert sniff(b"\xff\xe3\x18\xc4" + bytes(60)) == "audio/mpeg"  # MPEG 2.5, as at 11 kHz


@pytest.mark.parametrize("what", OTHERS)
def test_nothing_else_is_read(what: str) -> None:
    assert sniff(OTHERS[what][:SNIFF_BYTES]) is None


def test_chance_is_seldom_taken_for_media() -> None:
    chance = np.random.default_rng(4)
    taken = sum(sniff(chance.bytes(SNIFF_BYTES)) is not None for _ in range(20_000))
    assert taken <= 8  # an MPEG header is 13 bits of luck
