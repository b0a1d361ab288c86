"""Photographs for the demonstration and the tests, out of pinned packages: no private people.

An astronaut, two heads of state, and things without a face. None is shipped with this project.
"""

from pathlib import Path

from registry.fetch import Kind, PinnedArchive, fetch, read_members

SCIKIT_IMAGE = PinnedArchive(
    requirement="scikit-image==0.26.0",
    filename=("scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl"),
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
_MEMBERS = {
    SCIKIT_IMAGE: {
        "astronaut": _DATA + "astronaut.png",
        "camera": _DATA + "camera.png",
        "chelsea": _DATA + "chelsea.png",
        "coffee": _DATA + "coffee.png",
        "hubble": _DATA + "hubble_deep_field.jpg",
        "retina": _DATA + "retina.jpg",
        "rocket": _DATA + "rocket.jpg",
    },
    FACE_RECOGNITION: {
        "biden": _PORTRAITS + "biden.jpg",
        "obama": _PORTRAITS + "obama.jpg",
        "obama2": _PORTRAITS + "obama2.jpg",
        "obama3": _PORTRAITS + "obama3.jpg",
        "obama2_rgba": _PORTRAITS + "32bit.png",
    },
}


def photos(folder: Path) -> dict[str, bytes]:
    """The files by short name ("astronaut", "obama", ...); their packages are kept in `folder`.

    Raises SetupError where a package can be neither found there nor fetched.
    """
    found: dict[str, bytes] = {}
    for archive, members in _MEMBERS.items():
        contents = read_members(fetch(archive, folder), members.values())
        found |= {name: contents[member] for name, member in members.items()}
    return found
