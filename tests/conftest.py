"""What every test gets: no network beyond loopback, no settings from outside, a clock that the test moves."""

import gc
import ipaddress
import logging
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from intake.store import opening
from tests.store.memory import memory_folder

LOCAL_NAMES = frozenset({"localhost", "ip6-localhost", "", socket.gethostname()})


# What loads both cores by itself, or looks at the clock, has the machine to itself.
ALONE = (
    "tests/torture/test_torture_escalations.py",
    "tests/torture/test_torture_kills.py",
    "tests/email/test_mail_hostile.py",
    "tests/email/test_mail_patterns.py",
    "tests/daemon/test_daemon_timers.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Where no long test is run, temporary folders are in memory: what a real disk adds is what the long ones are for."""
    memory = memory_folder(room_bytes=2_000_000_000)
    if memory and "not slow" in config.getoption("markexpr"):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported and collected stays: looking through it for garbage again and again is a fifteenth of the run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_long = any(item.iter_markers("slow")) or any(item.iter_markers("postgres"))
        if is_long and item.nodeid.startswith(ALONE):
            item.add_marker("alone")


class ManualClock:
    """A clock that stands still until it is told to move; callable like intake.instants.now."""

    def __init__(self, at: datetime = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(
        self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> datetime:
        self.at += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)
        return self.at


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def is_local(host: Any) -> bool:
    """Whether a host is this machine: a path, a local name or a loopback address."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture(scope="session", autouse=True)
def guarded_sockets() -> Iterator[list[str]]:
    """Refuse to leave the machine; the hosts that something wanted to reach."""
    escapes: list[str] = []

    def guard(real: Any, host_of: Any) -> Any:
        def guarded(*arguments: Any, **keywords: Any) -> Any:
            host = host_of(arguments)
            if not is_local(host):
                escapes.append(str(host))
                raise OSError(f"a test tried to reach {host}")
            return real(*arguments, **keywords)

        return guarded

    def peer(arguments: Any) -> Any:
        address = arguments[-1]
        return address[0] if isinstance(address, tuple) else None

    with pytest.MonkeyPatch.context() as patched:
        for name in ("connect", "connect_ex", "sendto"):
            patched.setattr(socket.socket, name, guard(getattr(socket.socket, name), peer))
        patched.setattr(socket, "getaddrinfo", guard(socket.getaddrinfo, lambda arguments: arguments[0]))
        yield escapes


@pytest.fixture(autouse=True)
def only_loopback(guarded_sockets: list[str]) -> Iterator[list[str]]:
    """Fail a test that wanted to leave the machine, even where the code under test swallows the refusal."""
    guarded_sockets.clear()
    yield guarded_sockets
    if guarded_sockets:
        pytest.fail(f"the test tried to leave the machine: {', '.join(guarded_sockets)}")


@pytest.fixture(autouse=True)
def own_process() -> Iterator[None]:
    """No setting of the person who runs the tests reaches them, and what a test does to the logging ends with it."""
    for name in [each for each in os.environ if each.startswith("INTAKE_")]:
        del os.environ[name]
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    named = {logging.getLogger(each) for each in ("intake", "channels", "routing")}
    named |= {each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)}
    levels = {each: each.level for each in named}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for each, was in levels.items():
        if each.level != was:  # setting it empties the caches of all loggers
            each.setLevel(was)
    logging.captureWarnings(capture=False)


@pytest.fixture(scope="session", autouse=True)
def pages_compiled_once() -> Iterator[None]:
    """A template of our pages is compiled once for all the sites that the tests open; a daemon has but one."""
    import jinja2

    real, compiled = jinja2.Environment.compile, {}

    def compile_once(self: Any, source: Any, name: Any = None, filename: Any = None, *more: Any) -> Any:
        if filename is None or more:
            return real(self, source, name, filename, *more)
        key = (type(self), self.autoescape, self.trim_blocks, self.lstrip_blocks, filename, source)
        if key not in compiled:
            compiled[key] = real(self, source, name, filename)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jinja2.Environment, "compile", compile_once)
        yield


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a new store: copying them is quicker than the migrations."""
    folder = tmp_path_factory.mktemp("template")
    opening.open_store("", folder).close()
    return (folder / "intake.db").read_bytes()
