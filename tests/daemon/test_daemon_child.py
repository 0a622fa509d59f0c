"""The processes that answer the daemon's requests."""

import struct
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_child_whose_asker_dies_before_the_reply_ends_quietly() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "intake.rule_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdout.close()
    child.stdin.write(struct.pack(">I", 0))
    child.stdin.flush()
    _, told = child.communicate(timeout=30)
    assert (child.returncode, told) == (0, b"")
