"""What encoders are called, for those who compare and store: without the libraries that encode.

An id is a name and a version; vectors of different ids never meet. Golden vectors pin each.
"""

IMAGE_HASH = "phash-256/1"
IMAGE_HASH_BYTES = 32
