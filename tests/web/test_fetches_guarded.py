"""Whoever speaks to another machine stands here by name, and why: all that strangers name goes through channels.outside.

Read out of the source itself, so that a new way out fails until somebody has said whose word it goes by.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rows import every_row

ROOT = Path(__file__).parents[2]
HOUSES = ("channels", "intake", "routing")

# Modules that connect, whatever of them is used; and single names of those that do other things as well.
CLIENTS = frozenset(
    {
        "urllib.request", "http.client", "requests", "httpx", "urllib3", "pycurl", "smtplib", "imaplib", "imapclient", "aiosmtplib",
        "poplib", "ftplib", "telnetlib", "nntplib", "xmlrpc.client", "websockets", "websocket", "paramiko", "dns.asyncresolver",
        "dns.resolver", "dns.query", "dns.asyncquery", "twilio.http.async_http_client", "twilio.http.http_client", "twilio.rest",
        "psycopg", "boto3", "logging.handlers",
    }
)  # fmt: skip
NAMES = frozenset(
    {
        "aiohttp.ClientSession", "aiohttp.request", "aiohttp.TCPConnector", "asyncio.open_connection", "asyncio.open_unix_connection",
        "socket.create_connection", "socket.socket", "socket.getaddrinfo", "socket.gethostbyname", "jwt.PyJWKClient",
        "pywebpush.webpush",
    }
)  # fmt: skip
METHODS = frozenset({"create_connection", "create_unix_connection", "sock_connect", "getaddrinfo", "urlopen"})
_MAY_CONNECT = re.compile(
    "|".join(map(re.escape, {each.rpartition(".")[2] for each in CLIENTS | NAMES} | METHODS))
)

GUARD = "the guard itself: each address is looked at before a socket is made for it"
OPERATOR = "goes where intake.yaml says"
TWILIO = "goes to Twilio, or to the api_url of intake.yaml"
OWN = "listens, or speaks to this machine's own daemon"
NAMES_ONLY = "asks the machine's name servers, and connects to nothing that they answer"
NONE = "catches or reads what another module's connection says"

# file -> whose word it goes by, and what it connects with.
ALLOWED: dict[str, tuple[str, set[str]]] = {
    "channels/outside.py": (GUARD, {"aiohttp.ClientSession", "aiohttp.TCPConnector", "socket.socket"}),
    "channels/email/imap_answers.py": (NONE, {"imapclient", "imaplib"}),
    "channels/email/imap_login.py": (NONE, {"imaplib"}),
    "channels/email/imap_start.py": (NONE, {"imaplib"}),
    "channels/email/imap_wire.py": (OPERATOR, {"imapclient", "imaplib", "socket.socket"}),
    "channels/email/oauth2.py": (OPERATOR, {"http.client", "urllib.request"}),
    "channels/email/relay.py": (OPERATOR, {"aiosmtplib"}),
    "channels/email/resolver.py": (NAMES_ONLY, {"dns.resolver"}),
    "channels/email/smtp.py": (OWN, {"socket.socket"}),
    "channels/scanner_wire.py": (OPERATOR, {"asyncio.open_connection", "asyncio.open_unix_connection"}),
    "channels/twilio/api.py": (
        TWILIO,
        {"aiohttp.ClientSession", "twilio.http.async_http_client", "twilio.rest"},
    ),
    "channels/twilio/asking.py": (TWILIO, {"twilio.rest"}),
    "channels/twilio/calling.py": (TWILIO, {"twilio.rest"}),
    "channels/twilio/earlier.py": (TWILIO, {"twilio.rest"}),
    "channels/twilio/listing.py": (TWILIO, {"twilio.rest"}),
    "channels/twilio/probe.py": (OPERATOR, {"aiohttp.ClientSession"}),
    "channels/twilio/simulator/webhooks.py": (OWN, {"aiohttp.ClientSession"}),
    "intake/commands/demo.py": (OWN, {"smtplib"}),
    "intake/heartbeat.py": (OPERATOR, {"aiohttp.ClientSession"}),
    "intake/played_beside.py": (OWN, {"aiohttp.ClientSession"}),
    "intake/store/announcing.py": (OPERATOR, {"psycopg"}),
    "intake/store/migrating.py": (OPERATOR, {"psycopg"}),
    "intake/store/postgres.py": (OPERATOR, {"psycopg"}),
    "intake/store/postgres_errors.py": (NONE, {"psycopg"}),
}


def ways_out(source: str) -> set[str]:
    """Return by what a module may connect."""
    tree = ast.parse(source)
    known = dict(_imported(tree))
    stands_for = set(known.values())
    found = (stands_for | set(map(_module, stands_for))) & (CLIENTS | NAMES)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            found |= (CLIENTS | NAMES) & {f"{known.get(first, first)}.{rest}"} | METHODS & {node.attr}
    return found


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give each name that is imported anywhere in a module, and what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield each.asname or each.name, each.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                yield each.asname or each.name, f"{node.module}.{each.name}"


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _sources() -> Iterator[tuple[str, str]]:
    for house in HOUSES:
        for path in (ROOT / house).rglob("*.py"):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_nobody_has_a_way_out_that_is_not_named_here() -> None:
    """A module that fetches what strangers name uses channels.outside, and then none of these."""
    found = {name: ways_out(source) for name, source in _sources() if _MAY_CONNECT.search(source)}
    assert {name: each for name, each in found.items() if each} == {
        name: ways for name, (_, ways) in ALLOWED.items()
    }


@pytest.mark.slow
def test_no_way_out_follows_redirects_or_takes_a_proxy_of_the_environment() -> None:
    for name, source in _sources():
        assert "trust_env=True" not in source, name
        assert "allow_redirects=True" not in source, name
        if "aiohttp.ClientSession" in ALLOWED.get(name, ("", set()))[1]:
            assert "allow_redirects=False" in source, name


WAYS = {
    "import requests": {"requests"}, "import urllib.request as u": {"urllib.request"}, "from urllib import request": {"urllib.request"},
    "from aiohttp import ClientSession as C": {"aiohttp.ClientSession"}, "import aiohttp as a\na.ClientSession()": {"aiohttp.ClientSession"},
    "def f():\n    import aiohttp\n    return aiohttp.request('GET', '/')": {"aiohttp.request"}, "import smtplib": {"smtplib"},
    "import socket\nsocket.create_connection(x)": {"socket.create_connection", "create_connection"}, "loop.sock_connect(s, x)": {"sock_connect"},
    "import jwt\njwt.PyJWKClient(u)": {"jwt.PyJWKClient"}, "from urllib.parse import urlsplit": set(), "import aiohttp\naiohttp.web": set(),
    "from channels import outside\noutside.Outside()": set(), "from socket import socket": {"socket.socket"},
}  # fmt: skip


@every_row("source", WAYS)
def test_a_way_out_is_seen_however_it_is_written(source: str) -> None:
    assert ways_out(source) == WAYS[source]
