"""Keys sign what comes back, refuse what was changed, and are kept from other users."""

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.keys import Keys, KeysFile
from intake.store.engine import StoreError
from tests.rows import every_row

KEYS = Keys(KeysFile({"a": b"1" * 32, "b7": b"2" * 32}, b"3" * 32))
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "keys.json"


def write(path: Path, file: object, *, mode: int = 0o600) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.encode(file))
    path.chmod(mode)


def test_new_keys_are_for_our_user_only_and_the_same_next_time(path: Path) -> None:
    token = Keys.load_or_create(path).sign("reply", "T-1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keys.load_or_create(path).verify("reply", token, "T-1")
    assert [child.name for child in path.parent.iterdir()] == ["keys.json"]


def test_processes_that_start_together_agree_on_the_new_keys(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        prints = list(pool.map(lambda _: Keys.load_or_create(path).fingerprint("x"), range(8)))
    assert len(set(prints)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_keys_that_others_may_read_are_refused(path: Path, mode: int) -> None:
    Keys.load_or_create(path)
    path.chmod(mode)
    with pytest.raises(StoreError, match=f"run 'chmod 600 {path}'"):
        Keys.load_or_create(path)


@pytest.mark.parametrize(
    "file",
    [
        {},
        {"signing": {}, "fingerprint": "MTEx"},
        {"signing": {"a": "c2hvcnQ="}, "fingerprint": "c2hvcnQ="},
        {"signing": {"A": "MTEx" * 11}, "fingerprint": "MTEx" * 11},
        ["hunter2"],
    ],
)
def test_a_damaged_file_is_said_and_nothing_of_it_shown(path: Path, file: object) -> None:
    write(path, file)
    with pytest.raises(StoreError, match="is damaged: put back the copy from the last backup") as caught:
        Keys.load_or_create(path)
    assert "hunter2" not in str(caught.value)


def test_the_newest_key_signs_and_the_older_ones_still_verify(path: Path) -> None:
    old = Keys.load_or_create(path)
    token = old.sign("reply", "T-1")
    file = msgspec.json.decode(path.read_bytes(), type=KeysFile)
    write(path, KeysFile({**file.signing, "zz": b"n" * 32}, file.fingerprint))
    new = Keys.load_or_create(path)
    assert new.sign("reply", "T-1").startswith("zz")
    assert new.verify("reply", token, "T-1")
    assert new.fingerprint("x") == old.fingerprint("x")


def test_a_token_fits_a_local_part_and_holds_128_bits() -> None:
    token = KEYS.sign("reply", "T-1", "ann@example.com")
    assert re.fullmatch(r"b7[a-z2-7]{26}", token)


def test_a_token_is_the_truncated_hmac_of_its_parts() -> None:
    """Worked by hand, so that tokens that are out there stay valid from one release to the next."""
    import base64
    import hmac

    mac = hmac.digest(b"2" * 32, b"5:reply3:T-1", "sha256")[:16]
    assert KEYS.sign("reply", "T-1") == "b7" + base64.b32encode(mac).decode().rstrip("=").lower()


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_what_was_signed_verifies(parts: list[str]) -> None:
    purpose, *rest = parts
    assert KEYS.verify(purpose, KEYS.sign(purpose, *rest), *rest)


@every_row(
    ("purpose", "parts"),
    [
        ("bounce", ("T-1", "ann")),
        ("reply", ("T-1", "bob")),
        ("reply", ("T-1a", "nn")),
        ("reply", ("T-1",)),
        ("reply", ()),
    ],
)
def test_a_token_is_bound_to_its_purpose_and_parts(purpose: str, parts: tuple[str, ...]) -> None:
    assert not KEYS.verify(purpose, KEYS.sign("reply", "T-1", "ann"), *parts)


def test_every_single_changed_character_is_refused() -> None:
    token = KEYS.sign("reply", "T-1")
    changed = [
        token[:at] + other + token[at + 1 :]
        for at in range(len(token))
        for other in ALPHABET
        if other != token[at]
    ]
    assert not any(KEYS.verify("reply", one, "T-1") for one in changed)


@every_row("change", [str.upper, lambda t: t[:-1], lambda t: t + "a", lambda t: t + "\n", lambda t: t + "="])
def test_another_length_or_case_is_refused(change: object) -> None:
    assert callable(change)
    assert not KEYS.verify("reply", change(KEYS.sign("reply", "T-1")), "T-1")


@given(st.text(max_size=60))
def test_garbage_is_refused_and_never_raises(token: str) -> None:
    assert not KEYS.verify("reply", token, "T-1")


def test_fingerprints_differ_by_value_and_by_house() -> None:
    other = Keys(KeysFile({"a": b"1" * 32}, b"4" * 32))
    assert len({KEYS.fingerprint("a"), KEYS.fingerprint("b"), other.fingerprint("a")}) == 3
