"""What encoders are called, for those who compare and store: without the libraries that encode.

An id is a name and a version; vectors of different ids never meet. Golden vectors pin each.
"""

from enum import StrEnum

IMAGE_HASH = "phash-256/1"
IMAGE_HASH_BYTES = 32
FACE = "dlib-resnet/1"
FACE_DIMENSIONS = 128
VOICE = "campplus/1"
VOICE_DIMENSIONS = 192


class Condition(StrEnum):
    """Under what circumstances a sample was taken; vectors of different conditions never meet."""

    PHOTO = "PHOTO"  # a face in a picture or in frames of a video
    WIDE = "WIDE"  # a voice as a microphone hears it
    TELEPHONE = "TELEPHONE"  # a voice between 300 and 3,400 Hz
