"""A failpoint ends the process at the pass it names, and is nothing when it is not asked for."""

import os
import signal
import subprocess
import sys

import pytest

from intake import failpoints

PASSES = "from intake import failpoints\nfor n in range(4):\n    print(n, flush=True)\n    failpoints.reach('settle.before')\n"


def _run(**variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PASSES],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_the_process_dies_at_the_named_pass() -> None:
    ended = _run(INTAKE_FAILPOINT="settle.before:3")
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "0\n1\n2\n")


@pytest.mark.parametrize("variables", [{}, {"INTAKE_FAILPOINT": "settle.after_commit:1"}])
def test_places_that_are_not_named_are_passed(variables: dict[str, str]) -> None:
    assert _run(**variables).returncode == 0


@pytest.mark.parametrize("text", ["settle.befor:1", "settle.before:0", "settle.before:x"])
def test_a_failpoint_that_cannot_be_reached_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="INTAKE_FAILPOINT"):
        failpoints.failpoint_from_text(text)
