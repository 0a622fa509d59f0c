"""How passwords are kept: what a hash costs who has stolen it."""

import argon2
import pytest

from intake import passwords

pytestmark = pytest.mark.usefixtures("real_hashes")


def test_a_hash_costs_what_is_promised_and_an_older_one_is_outdated() -> None:
    """OWASP Password Storage Cheat Sheet, 2026-11: argon2id, 19 MiB, two passes, one lane."""
    kept = passwords.hashed("green bicycle under a quiet roof")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    cheaper = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("green bicycle")
    assert [passwords.is_outdated(each) for each in (kept, cheaper)] == [False, True]
    assert passwords.is_right(cheaper, "green bicycle")
