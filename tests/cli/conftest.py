"""The command line in this process: as quick as a function call, and judged by the same outputs."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake import cli, redaction


class Done(msgspec.Struct, frozen=True):
    """How a command ended. out: results; err: talk."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The lines of JSON of a command that went well."""
        assert self.code == 0, self.err
        return [json.loads(line) for line in self.out.splitlines()]


Intake = Callable[..., Done]


@pytest.fixture(autouse=True)
def no_secrets_left() -> Iterator[None]:
    redaction.forget_all()
    yield
    redaction.forget_all()


@pytest.fixture
def intake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Intake:
    """`intake("tickets", "list")` in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANGUAGE", "C")  # else argparse looks for a translation of each word on the disk

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capfdbinary.readouterr()
        try:
            code = cli.main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        sys.stdout.flush()
        said = capfdbinary.readouterr()
        return Done(code, said.out.decode(), said.err.decode())

    return run


@pytest.fixture
def new_desk(intake: Intake, tmp_path: Path) -> Path:
    """A folder with the starter configuration, and nothing else."""
    assert intake("init").code == 0
    return tmp_path


@pytest.fixture
def desk(new_desk: Path, new_store: bytes) -> Path:
    """A folder with the starter configuration, and a store in which nothing is yet."""
    (new_desk / "var").mkdir()
    (new_desk / "var" / "intake.db").write_bytes(new_store)
    return new_desk


@pytest.fixture(scope="session")
def root() -> Path:
    """The source tree."""
    return Path(__file__).parents[2]
