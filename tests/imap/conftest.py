"""A Dovecot for all tests of the session, with users of their own; a gate for each."""

import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from tests.imap import dovecot, watching

_users = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[dovecot.Dovecot]:
    if dovecot.program() is None and os.environ.get("CI") != "true":
        pytest.skip("dovecot is not installed: apt-get install -y dovecot-imapd")
    with dovecot.running() as running:
        yield running


@pytest.fixture
def user() -> str:
    return f"user{next(_users)}"


@pytest.fixture
def gate() -> watching.Gate:
    return watching.Gate()


Until = Callable[[], bool]
