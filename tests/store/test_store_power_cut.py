"""No acknowledged write is lost at a power cut, and the test that says so can fail."""

import random
import secrets

import pytest

from tests.store import power_cut
from tests.store.disk import Disk


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_no_acknowledged_write_is_lost_in_hundreds_of_power_cuts() -> None:
    report = power_cut.run(cuts=300, seed=secrets.randbelow(10**9))
    assert report.is_clean(), str(report)
    assert report.acknowledged > 2_000, str(report)


@pytest.mark.slow
def test_the_mutant_synchronous_normal_is_found_out() -> None:
    report = power_cut.run(cuts=20, seed=secrets.randbelow(10**9), synchronous="NORMAL")
    assert report.lost > 0, str(report)


def test_the_disk_keeps_what_was_fsynced_and_forgets_what_never_was() -> None:
    disk = Disk({}, random.Random(0), cut_at=100)
    disk.write("a", 0, b"synced")
    disk.sync("a")
    disk.write("b", 0, b"never synced")
    assert disk.cut() == {"a": b"synced"}


def test_the_disk_tears_writes_between_sectors() -> None:
    left = set()
    for seed in range(50):
        disk = Disk({"a": bytes(1024)}, random.Random(seed), cut_at=100)
        disk.write("a", 0, b"x" * 1024)
        left.add(disk.cut()["a"])
    assert left == {bytes(1024), b"x" * 512 + bytes(512), bytes(512) + b"x" * 512, b"x" * 1024}
