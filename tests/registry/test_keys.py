"""Keys are made once, refused when they are not safe, and rotate without invalidating the past."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InvalidError, SetupError
from registry.key_files import KeyRole
from registry.keys import Keys, jwk, thumbprint
from registry.sealing import SealError

FILES = ["master.key", "token.pem", "access.pem", "log.pem"]

# Made by the first version under a master key of the bytes 0 to 31: never to be remade.
GOLDEN = {
    "installation": "5b8d741d9aa8486352528e6b5015f3e3",
    "index": "b5a1eece2ba571316116ef08011ef89631f219aeb958554f8c1c0c3d28a54e2b",
    "wrapped": (
        "01e3ca28ec4331c1e4efbfab20522760c3af458a60fb388d777a95c6cd95c625"
        "8f6229fed02aa99ed006ea613ab2afe870eef316717cbcfdca122191f2"
    ),
    "sealed": (
        "01c5a862c21a9ffe32faf433dc77e0f52c0d00ece3f894f850d6bf105904ed320ba0ccfe3218513eba"
    ),
    "deployment": (
        "025d3618080d324065fe6b68af8824d12a05d362051db3b2bc3f6b290daae2f4"
        "e93afad10640cfe3e6fd9eb54daa8c020d9096e763b6"
    ),
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.open(tmp_path_factory.mktemp("likeness"))


def pem(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_the_first_start_makes_keys_only_their_owner_can_read(tmp_path: Path) -> None:
    Keys.open(tmp_path / "new" / "data")
    folder = tmp_path / "new" / "data" / "keys"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "retired"])
    for name in FILES:
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert len((folder / "master.key").read_bytes()) == 32
    assert [path.name for path in folder.parent.iterdir()] == ["keys"]


def test_a_later_start_finds_the_same_keys(tmp_path: Path) -> None:
    first, second = Keys.open(tmp_path), Keys.open(tmp_path)
    assert first.jwks() == second.jwks()
    assert first.installation_id == second.installation_id
    subject = uuid4()
    sealed = first.open_key(subject, wrapped := first.wrap_new(subject)).seal(b"x", context=b"")
    assert second.open_key(subject, wrapped).open(sealed, context=b"") == b"x"
    sealed = first.deployment_key.seal(b"x", context=b"")
    assert second.deployment_key.open(sealed, context=b"") == b"x"
    assert first.blind_index("Ada") == second.blind_index("Ada")


def test_processes_that_start_at_once_end_with_the_same_keys(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from registry.keys import Keys\n"
        "sys.stdout.write('ready\\n'); sys.stdout.flush(); sys.stdin.readline()\n"
        "keys = Keys.open(Path(sys.argv[1])); print(keys.installation_id, keys.log_signer.kid)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path / "data"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers = set()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in started:
        answers.add(process.communicate(timeout=30)[0])
        assert process.returncode == 0
    assert len(answers) == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["keys"]


def test_threads_that_start_at_once_end_with_the_same_keys(tmp_path: Path) -> None:
    barrier = Barrier(8)

    def start(_: int) -> str:
        barrier.wait()
        return Keys.open(tmp_path).installation_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize("name", [*FILES, ""])
@pytest.mark.parametrize("mode", [0o040, 0o004, 0o020, 0o001])
def test_a_key_others_can_reach_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    Keys.open(tmp_path)
    path = tmp_path / "keys" / name
    path.chmod(path.stat().st_mode | mode)
    with pytest.raises(SetupError, match="open to others"):
        Keys.open(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_key_is_not_made_again(tmp_path: Path, name: str) -> None:
    Keys.open(tmp_path)
    (tmp_path / "keys" / name).unlink()
    for _ in range(2):
        with pytest.raises(SetupError):
            Keys.open(tmp_path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [0, 31, 33, 5000])
def test_a_damaged_key_is_refused(tmp_path: Path, name: str, size: int) -> None:
    Keys.open(tmp_path)
    (tmp_path / "keys" / name).write_bytes(b"-" * size)
    with pytest.raises(SetupError):
        Keys.open(tmp_path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    Keys.open(tmp_path)
    (tmp_path / "keys" / "token.pem").write_bytes(pem(X25519PrivateKey.generate()))
    with pytest.raises(SetupError, match="not an Ed25519 key"):
        Keys.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a key", "another kind"], ids=["none", "no", "x"])
def test_a_damaged_retired_key_is_refused(tmp_path: Path, content: bytes | str) -> None:
    Keys.open(tmp_path).rotate(KeyRole.LOG)
    (retired,) = (tmp_path / "keys" / "retired").iterdir()
    if isinstance(content, str):
        content = (
            X25519PrivateKey.generate()
            .public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
    retired.write_bytes(content)
    with pytest.raises(SetupError):
        Keys.open(tmp_path)


def test_keys_cannot_be_made_where_there_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"")
    with pytest.raises(SetupError, match="cannot be made"):
        Keys.open(tmp_path)


def test_keys_are_not_made_behind_a_broken_link(tmp_path: Path) -> None:
    (tmp_path / "keys").symlink_to(tmp_path / "gone")
    with pytest.raises(SetupError, match="cannot be made"):
        Keys.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_what_was_sealed_and_indexed_stays_readable_in_later_versions(tmp_path: Path) -> None:
    Keys.open(tmp_path)
    (tmp_path / "keys" / "master.key").write_bytes(bytes(range(32)))
    keys, subject = Keys.open(tmp_path), UUID(int=1)
    assert keys.installation_id == GOLDEN["installation"]
    assert keys.blind_index(" Ada  LOVELACE").hex() == GOLDEN["index"]
    key = keys.open_key(subject, bytes.fromhex(GOLDEN["wrapped"]))
    assert key.open(bytes.fromhex(GOLDEN["sealed"]), context=b"row") == b"of a subject"
    sealed = bytes.fromhex(GOLDEN["deployment"])
    assert keys.deployment_key.open(sealed, context=b"row") == b"of nobody"


def test_a_rotation_needs_no_folder_of_retired_keys(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path)
    (tmp_path / "keys" / "retired").rmdir()
    keys.rotate(KeyRole.LOG)
    assert len(Keys.open(tmp_path).public_keys(KeyRole.LOG)) == 2
    assert (tmp_path / "keys" / "retired").stat().st_mode & 0o777 == 0o700


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)
    assert Keys.open(tmp_path).installation_id == Keys.open(tmp_path).installation_id


def test_a_subject_key_opens_for_its_subject_only(keys: Keys, tmp_path: Path) -> None:
    ada, bob = uuid4(), uuid4()
    wrapped = keys.wrap_new(ada)
    assert len(wrapped) == 61
    keys.open_key(ada, wrapped)
    with pytest.raises(SealError):
        keys.open_key(bob, wrapped)
    with pytest.raises(SealError):
        keys.open_key(ada, wrapped[:-1])
    with pytest.raises(SealError):
        Keys.open(tmp_path).open_key(ada, wrapped)


def test_each_subject_key_is_another(keys: Keys) -> None:
    ada, bob = UUID(int=1), UUID(int=2)
    sealed = keys.open_key(ada, keys.wrap_new(ada)).seal(b"hash", context=b"c")
    for subject in (ada, bob):
        with pytest.raises(SealError):
            keys.open_key(subject, keys.wrap_new(subject)).open(sealed, context=b"c")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "  ada\t LOVELACE\n"),
        ("Stra\u00dfe", "STRASSE"),
        ("Jos\u00e9", "Jose\u0301"),
        ("\uff21\uff44\uff41", "ada"),
        ("\u5f20 \u4f1f", "\u5f20\u3000\u4f1f"),
        ("\u1f80", "\u1f88"),
        ("\u03c3", "\u03c2"),
    ],
)
def test_a_name_is_found_however_it_is_written(keys: Keys, one: str, other: str) -> None:
    assert keys.blind_index(one) == keys.blind_index(other)


@pytest.mark.parametrize(
    "other", ["Ada Lovelac", "AdaLovelace", "Lovelace Ada", "", "Ad\u00e1 Lovelace"]
)
def test_another_name_is_another_index(keys: Keys, other: str) -> None:
    assert keys.blind_index("Ada Lovelace") != keys.blind_index(other)


@given(st.text())
def test_case_never_matters(keys: Keys, name: str) -> None:
    known = keys.blind_index(name)
    assert len(known) == 32
    assert keys.blind_index(name.casefold()) == known
    assert keys.blind_index(f" {name} ") == known


def test_a_name_that_is_no_text_is_refused(keys: Keys) -> None:
    with pytest.raises(InvalidError):
        keys.blind_index("\ud800")


def test_the_index_of_a_name_tells_nothing_without_the_key(keys: Keys, tmp_path: Path) -> None:
    assert keys.blind_index("Ada") != Keys.open(tmp_path).blind_index("Ada")


def test_a_key_is_named_by_its_thumbprint() -> None:
    # RFC 8037, A.1 to A.3
    seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    public = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key()
    assert jwk(public)["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert thumbprint(public) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_key_set_shows_public_keys_only(keys: Keys) -> None:
    published = keys.jwks()["keys"]
    assert {one["role"]: one["kid"] for one in published} == {
        "token": keys.token_signer.kid,
        "access": keys.access_signer.kid,
        "log": keys.log_signer.kid,
    }
    for one in published:
        assert set(one) == {"kty", "crv", "x", "use", "alg", "kid", "role"}
        assert (one["kty"], one["crv"], one["use"], one["alg"]) == (
            "OKP",
            "Ed25519",
            "sig",
            "EdDSA",
        )


def test_a_signer_does_not_show_its_key(keys: Keys) -> None:
    assert repr(keys.log_signer) == f"Signer(kid={keys.log_signer.kid!r})"


@pytest.mark.parametrize("role", list(KeyRole))
def test_a_rotated_key_is_published_beside_the_new_one(tmp_path: Path, role: KeyRole) -> None:
    keys = Keys.open(tmp_path)
    before = {one["kid"] for one in keys.jwks()["keys"]}
    (old,) = keys.public_keys(role)
    new = keys.rotate(role)
    assert list(keys.public_keys(role)) == [new.kid, old]
    assert {one["kid"] for one in keys.jwks()["keys"]} == before | {new.kid}
    third = keys.rotate(role)
    assert next(iter(keys.public_keys(role))) == third.kid
    assert set(keys.public_keys(role)) == {third.kid, new.kid, old}
    assert Keys.open(tmp_path).jwks() == keys.jwks()
    for path in (tmp_path / "keys").rglob("*.*"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_rotation_elsewhere_is_noticed(tmp_path: Path) -> None:
    here, there = Keys.open(tmp_path), Keys.open(tmp_path)
    old = here.access_signer.kid
    new = there.rotate(KeyRole.ACCESS)
    assert here.access_signer.kid == old
    assert here.public_key(KeyRole.ACCESS, "unknown") is None
    assert here.public_key(KeyRole.ACCESS, new.kid) is not None
    assert here.public_key(KeyRole.ACCESS, old) is not None
    assert here.public_key(KeyRole.TOKEN, new.kid) is None
    assert here.access_signer.kid == new.kid


def test_rotations_at_once_lose_no_key(tmp_path: Path) -> None:
    Keys.open(tmp_path)
    barrier = Barrier(4)

    def rotate(_: int) -> str:
        keys = Keys.open(tmp_path)
        barrier.wait()
        return keys.rotate(KeyRole.TOKEN).kid

    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(rotate, range(4)))
    assert len(made) == 4
    published = Keys.open(tmp_path).public_keys(KeyRole.TOKEN)
    assert made < set(published)
    assert len(published) == 5


def test_a_rotation_that_stopped_half_way_changes_nothing(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path)
    folder, kid = tmp_path / "keys", keys.token_signer.kid
    public = keys.token_signer.public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for name, content in ((f"token-{kid}.pem", public), (f"token-{kid}.new", b"half")):
        path = folder / "retired" / name
        path.write_bytes(content)
        path.chmod(0o600)
    (folder / "token.new").write_bytes(b"half")
    again = Keys.open(tmp_path)
    assert again.jwks() == keys.jwks()
    again.rotate(KeyRole.TOKEN)
    assert set(again.public_keys(KeyRole.TOKEN)) == {kid, again.token_signer.kid}


def test_keys_that_vanish_are_not_forgotten_silently(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path)
    (tmp_path / "keys" / "log.pem").unlink()
    with pytest.raises(SetupError, match="missing"):
        keys.jwks()
