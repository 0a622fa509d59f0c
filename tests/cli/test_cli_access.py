"""Who may sign in, on the command line; and the address that nobody may listen on without TLS."""

from pathlib import Path
from typing import Any

import pytest

from tests.rows import every_row

RULES = """
version: 1
calendars:
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example}
teams:
  support: {levels: {front: [ania]}}
default: {team: support, priority: normal}
"""
REST = (
    "\nchannels: {support: {kind: email.smtp, addresses: [support@example.com]}}\noutgoing: {folder: out}\n"
)
PASSWORD = b"green bicycle under a quiet roof\n"


@pytest.fixture
def house(desk: Path) -> Path:
    (desk / "config" / "rules.yaml").write_text(RULES)
    return desk


def test_an_invitation_is_a_link_that_is_shown_once(intake: Any, house: Path) -> None:
    (shown,) = intake("agents", "invite", "boss", "--role", "admin", "--json").objects
    assert (shown["name"], shown["role"], shown["hours"]) == ("boss", "admin", 72)
    assert shown["link"].startswith("http://127.0.0.1:8080/welcome/")
    (row,) = intake("agents", "role", "--json").objects
    assert (row["name"], row["role"], row["state"], row["sessions"]) == ("boss", "admin", "invited", 0)


def test_a_password_is_typed_and_never_shown(intake: Any, house: Path) -> None:
    intake("agents", "invite", "ania")
    done = intake("agents", "password", "ania", stdin=PASSWORD)
    assert done.code == 0
    assert PASSWORD.decode().strip() not in done.out + done.err
    assert intake("agents", "role", "ania", "--json").objects[0]["state"] == "active"


@pytest.mark.slow
@every_row(
    ("arguments", "said"),
    [
        (("invite", "stranger"), "the rules name no agent 'stranger'"),
        (("password", "nobody"), "nobody of the name 'nobody' may sign in"),
        (("role", "nobody"), "nobody of the name 'nobody' may sign in"),
        (("role", "ania", "lord"), "invalid choice: 'lord'"),
        (("disable", "boss"), "boss is the only admin who can sign in"),
        (("role", "boss", "auditor"), "boss is the only admin who can sign in"),
        (("sessions", "nobody"), "nobody of the name 'nobody' may sign in"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    intake: Any, house: Path, arguments: tuple[str, ...], said: str
) -> None:
    intake("agents", "invite", "boss", "--role", "admin")
    assert intake("agents", "password", "boss", stdin=PASSWORD).code == 0
    done = intake("agents", *arguments, stdin=PASSWORD)
    assert done.code == 2
    assert said in done.err


def test_an_easily_guessed_password_is_not_taken(intake: Any, house: Path) -> None:
    intake("agents", "invite", "ania")
    done = intake("agents", "password", "ania", stdin=b"passwordpassword\n")
    assert done.code == 2
    assert "easily guessed" in done.err


@every_row(
    "http",
    [
        "{listen: '0.0.0.0:8080'}",
        "{listen: '10.0.0.5:8080', public_url: 'https://help.example.com'}",
        "{listen: '[::]:8080'}",
        "{listen: 'help.example.com:80'}",
    ],
)
def test_a_public_address_without_tls_or_a_named_proxy_is_refused(
    intake: Any, house: Path, http: str
) -> None:
    """In one sentence, by the daemon too, before it listens."""
    path = house / "config" / "intake.yaml"
    path.write_text(f"http: {http}{REST}")
    for command in ("check", "run"):
        done = intake(command)
        assert done.code == 2
        assert "give it tls, or name the proxy in front of it in proxies" in done.out + done.err


def test_a_public_address_that_does_not_say_how_it_is_called_is_refused(intake: Any, house: Path) -> None:
    """Everybody would be told that their form came from another site, the first admin among them."""
    path = house / "config" / "intake.yaml"
    path.write_text(f"http: {{listen: '0.0.0.0:8080', tls: {{certificate: a.pem, key: b.pem}}}}{REST}")
    done = intake("check")
    assert done.code == 2
    assert "say in public_url how browsers do" in done.out + done.err


@every_row(
    "http",
    [
        "{listen: '127.0.0.1:8080'}",
        "{listen: '[::1]:8080'}",
        "{listen: 'localhost:8080'}",
        "{listen: '0.0.0.0:8080', public_url: 'https://help.example.com', proxies: '10.0.0.7 10.1.0.0/16'}",
        "{listen: '0.0.0.0:8080', proxies: '172.16.0.0/12'}",
        "{listen: '0.0.0.0:8080', public_url: 'https://help.example.com', tls: {certificate: a.pem, key: b.pem}}",
    ],
)
def test_other_addresses_are_taken(intake: Any, house: Path, http: str) -> None:
    path = house / "config" / "intake.yaml"
    path.write_text(f"http: {http}{REST}")
    done = intake("check")
    assert done.code == 0, done.err
