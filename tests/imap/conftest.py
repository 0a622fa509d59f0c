"""Real IMAP servers for all tests of the session, with users of their own; a gate for each test."""

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.imap import dovecot, pymap_server, watching
from tests.imap.mail_server import MailServer

_users = itertools.count(1)
_servers = {"dovecot": dovecot.running, "pymap": pymap_server.running}


def _tested() -> list[Any]:
    """Names of the servers: both, or pymap alone, which pip brings; INTAKE_TEST_IMAP names one of them.

    Beside Dovecot pymap is for the long run: it says the same, and takes twice as long.
    """
    named = os.environ.get("INTAKE_TEST_IMAP")
    if named:
        return [named]
    return ["dovecot", pytest.param("pymap", marks=pytest.mark.slow)] if dovecot.program() else ["pymap"]


@pytest.fixture(scope="session", params=_tested())
def server(request: pytest.FixtureRequest) -> Iterator[MailServer]:
    with _servers[request.param]() as running:
        yield running


@pytest.fixture
def user(server: MailServer) -> str:
    name = f"user{next(_users)}"
    server.welcome(name)
    return name


@pytest.fixture
def gate() -> watching.Gate:
    return watching.Gate()


Until = Callable[[], bool]
