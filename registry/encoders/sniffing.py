"""What a file is, by its first 64 bytes alone: never by its name or by what its sender says."""

SNIFF_BYTES = 64

PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif")
SOUNDS = ("audio/wav", "audio/flac", "audio/mpeg", "audio/ogg", "audio/mp4")
VIDEOS = ("video/webm", "video/mp4")  # they may hold sound alone: only their tracks tell
MEDIA_TYPES = (*PICTURES, *SOUNDS, *VIDEOS)

_EBML = b"\x1aE\xdf\xa3"
_STILLS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")
_ALBUMS = (b"M4A ", b"M4B ", b"F4A ")


def sniff(head: bytes) -> str | None:
    """The media type that the first 64 bytes announce, or None for one that is not read here.

    WebM with sound alone is "video/webm" too; MP4 is "audio/mp4" where its main brand says so.
    """
    return _picture(head) or _sound(head) or _video(head)


def _picture(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "image/gif" if head[:6] in {b"GIF87a", b"GIF89a"} else None


def _sound(head: bytes) -> str | None:
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"fLaC"):
        return "audio/flac"
    if head.startswith(b"OggS\x00"):
        return "audio/ogg"
    return "audio/mpeg" if _is_tagged(head) or _is_mpeg_layer_3(head) else None


def _video(head: bytes) -> str | None:
    if head.startswith(_EBML):
        return "video/webm" if b"webm" in head or b"matroska" in head else None
    brand = head[8:12]
    if head[4:8] != b"ftyp" or brand in _STILLS:
        return None
    return "audio/mp4" if brand in _ALBUMS else "video/mp4"


def _is_tagged(head: bytes) -> bool:
    """Whether an ID3v2 header comes first (id3.org, "ID3 tag version 2.4.0", 3.1)."""
    sizes = head[6:10]
    return head[:3] == b"ID3" and len(sizes) == 4 and max(sizes) < 0x80  # noqa: PLR2004 - 3.1


def _is_mpeg_layer_3(head: bytes) -> bool:
    """Whether a frame header of layer III comes first (ISO/IEC 11172-3, 2.4.1.3)."""
    if len(head) < 4:  # noqa: PLR2004 - the header's bytes
        return False
    word = int.from_bytes(head[:4], "big")
    sync, version, layer = word >> 21, word >> 19 & 3, word >> 17 & 3
    bit_rate, sample_rate, emphasis = word >> 12 & 15, word >> 10 & 3, word & 3
    reserved = version == 1 or bit_rate in {0, 15} or sample_rate == 3 or emphasis == 2  # noqa: PLR2004
    return sync == 0x7FF and layer == 1 and not reserved  # noqa: PLR2004 - eleven bits; layer III
