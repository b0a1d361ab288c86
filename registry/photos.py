"""Photographs for the demonstration and the tests, out of pinned packages: no private people.

Astronauts, two heads of state and things without a face; nothing of it is shipped with this project.
"""

from pathlib import Path

from registry.fetch import Kind, PinnedArchive, fetch, read_members

SCIKIT_IMAGE = PinnedArchive(
    requirement="scikit-image==0.26.0",
    filename=(
        "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl"
    ),
    sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    kind=Kind.WHEEL,
)
FACE_RECOGNITION = PinnedArchive(
    requirement="face-recognition==1.3.0",
    filename="face_recognition-1.3.0.tar.gz",
    sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    kind=Kind.SDIST,
)
_DATA = "skimage/data/"
_PORTRAITS = "face_recognition-1.3.0/tests/test_images/"
