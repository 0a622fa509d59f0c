"""A real IMAP server for all tests of the session, with users of their own; a gate for each."""

import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from tests.imap import dovecot, pymap_server, watching
from tests.imap.mail_server import MailServer

_users = itertools.count(1)
_servers = {"dovecot": dovecot.running, "pymap": pymap_server.running}


@pytest.fixture(scope="session")
def server() -> Iterator[MailServer]:
    """Dovecot where it is installed, else pymap, which pip brings; INTAKE_TEST_IMAP names one of them."""
    name = os.environ.get("INTAKE_TEST_IMAP") or ("dovecot" if dovecot.program() else "pymap")
    with _servers[name]() as running:
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
