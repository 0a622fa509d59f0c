"""Logging in: TLS is verified and never stripped, passwords and tokens go nowhere else, tokens are renewed in time."""

import http.server
import json
import logging
import ssl
import stat
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from channels.email import imap, oauth2
from channels.email.imap_login import Login, Trouble
from tests.imap import authority, scripted, watching
from tests.imap.scripted import Folder, Hangup, Server, Session
from tests.imap.watching import Gate, mail, options
from tests.rows import every_row

PASSWORD = "correct-horse"


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> authority.Papers:
    return authority.make(tmp_path_factory.mktemp("papers"))


def _tried(chosen: imap.Options) -> str:
    """What a login comes to: "" or the reason against it."""
    try:
        client, _ = Login(chosen).connect()
    except Trouble as trouble:
        return trouble.reason
    client.leave()
    return ""


def _heard(server: Server) -> str:
    return " ".join(server.said)


def test_starttls_encrypts_before_the_password(papers: authority.Papers) -> None:
    with Server(
        Folder(), context=papers.server("localhost"), capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN"
    ) as server:
        chosen = options(server.port, host="localhost", tls="starttls", ca_file=str(papers.ca))
        assert _tried(chosen) == ""
    assert server.said.index("STARTTLS") < server.said.index("AUTHENTICATE")


def test_a_server_without_starttls_hears_no_password() -> None:
    with Server(Folder(), capabilities="IMAP4rev1 AUTH=PLAIN") as server:
        assert "does not offer STARTTLS" in _tried(options(server.port, tls="starttls"))
    assert PASSWORD not in _heard(server)


def test_a_server_that_logs_us_in_before_tls_is_left() -> None:
    """PREAUTH makes STARTTLS illegal: a way to strip it."""
    with Server(Folder(), greeting="* PREAUTH welcome") as server:
        assert "before TLS" in _tried(options(server.port, tls="starttls"))
    assert PASSWORD not in _heard(server)


@pytest.mark.parametrize(
    "answer", [b"{tag} BAD no\r\n", b"{tag} NO no\r\n", b"* OK injected\r\n{tag} NO no\r\n"]
)
def test_a_refused_starttls_ends_it(answer: bytes) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        return answer if name == "STARTTLS" else None

    with Server(Folder(), play=play, capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN") as server:
        assert _tried(options(server.port, tls="starttls"))
    assert PASSWORD not in _heard(server)


@pytest.mark.parametrize("injected", [b"* CAPABILITY IMAP4rev1 LOGIN\r\n", b"* OK [ALERT] pay\r\n", b"X"])
def test_what_is_said_in_clear_after_starttls_is_not_believed(
    papers: authority.Papers, injected: bytes
) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if name == "STARTTLS":
            session.send(f"{session.tag} OK go\r\n".encode() + injected)
            session.sock = papers.server("localhost").wrap_socket(session.sock, server_side=True)
        return None

    with Server(Folder(), play=play, capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN") as server:
        chosen = options(server.port, host="localhost", tls="starttls", ca_file=str(papers.ca))
        assert _tried(chosen)
    assert PASSWORD not in _heard(server)


def test_capabilities_told_before_tls_do_not_count_after_it(papers: authority.Papers) -> None:
    """In clear the server promises PLAIN, under TLS it forbids passwords."""

    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if name == "CAPABILITY" and isinstance(session.sock, ssl.SSLSocket):
            return b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n{tag} OK done\r\n"
        return None

    context = papers.server("localhost")
    with Server(Folder(), play=play, context=context, capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN") as server:
        chosen = options(server.port, host="localhost", tls="starttls", ca_file=str(papers.ca))
        assert "takes no password" in _tried(chosen)
    assert PASSWORD not in _heard(server)


@pytest.mark.parametrize("fault", ["other-name", "expired", "self-signed", "unknown-authority"])
def test_a_bad_certificate_hears_no_password(papers: authority.Papers, fault: str) -> None:
    context = papers.bad(fault)
    ca_file = "" if fault == "unknown-authority" else str(papers.ca)
    with Server(Folder(), context=context, capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN") as server:
        chosen = options(server.port, host="localhost", tls="starttls", ca_file=ca_file)
        assert "certificate of localhost cannot be trusted" in _tried(chosen)
    assert PASSWORD not in _heard(server)


def test_plain_text_is_for_this_machine_only() -> None:
    with pytest.raises(ValueError, match="on this machine only"):
        options(143, host="mail.example.com", tls="none")


def test_a_password_that_is_not_ascii_is_sent_as_utf8() -> None:
    with Server(Folder(), password="zażółć") as server:
        assert _tried(options(server.port, password="zażółć")) == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [("NO [AUTHENTICATIONFAILED] no", "refused the login"), ("NO [UNAVAILABLE] later", "refused the login")],
)
def test_a_refused_login_is_told_without_the_password(words: str, told: str) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        return f"{{tag}} {words}\r\n".encode() if name == "AUTHENTICATE" else None

    with Server(Folder(), play=play) as server:
        said = _tried(options(server.port))
    assert told in said
    assert PASSWORD not in said


class Provider:
    """A token endpoint. answers: status and object, one a request; the last again and again."""

    def __init__(self, *answers: tuple[int, dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, str]] = []
        provider = self

        class Endpoint(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.asked.append(dict(urllib.parse.parse_qsl(body)))
                status, answer = provider.answers.pop(0) if len(provider.answers) > 1 else provider.answers[0]
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider((200, {"access_token": "tok-1", "expires_in": 3600})) as running:
        yield running


def _oauth2(endpoint: Provider, **changes: Any) -> oauth2.Options:
    chosen: dict[str, Any] = {
        "client_id": "app", "client_secret": "battery-staple", "refresh_token": "rt-0", "token_url": endpoint.url,
        **changes,
    }  # fmt: skip
    return oauth2.Options(**chosen)


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer", "auto"])
async def test_a_token_logs_in(gate: Gate, provider: Provider, mechanism: str) -> None:
    with Server(Folder(mail("a")), tokens={"tok-1"}) as server:
        chosen = options(server.port, password="", oauth2=_oauth2(provider, mechanism=mechanism))
        async with watching.watching(gate, chosen):
            await gate.until(lambda: gate.subjects() == ["a"])
    assert provider.asked[0]["grant_type"] == "refresh_token"
    sasl = next(each for each in server.said if each.startswith("SASL"))
    assert sasl.startswith("SASL n,a=ann," if mechanism == "oauthbearer" else "SASL user=ann\1")


@pytest.mark.parametrize(("mechanism", "closing"), [("xoauth2", "''"), ("oauthbearer", "'\\x01'")])
def test_a_refused_token_is_asked_for_anew(provider: Provider, mechanism: str, closing: str) -> None:
    """The challenge is answered as each mechanism wants, the token forgotten."""
    with Server(Folder(), tokens={"tok-2"}) as server:
        login = Login(options(server.port, password="", oauth2=_oauth2(provider, mechanism=mechanism)))
        with pytest.raises(Trouble) as caught:
            login.connect()
        assert f"SASL {closing}" in server.said
        provider.answers = [(200, {"access_token": "tok-2", "expires_in": 3600})]
        login.connect()[0].leave()
    assert "tok-1" not in str(caught.value)


async def test_it_logs_in_again_before_the_token_ends(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth2, "EARLY_S", 0.2)
    answers = [(200, {"access_token": f"tok-{n}", "expires_in": 0.3}) for n in range(3)]
    with Provider(*answers) as provider, Server(Folder(), tokens={"tok-0", "tok-1", "tok-2"}) as server:
        chosen = options(server.port, password="", idle_s=0.02, oauth2=_oauth2(provider))
        async with watching.watching(gate, chosen) as channel:
            await server.until_said("SASL user=ann\1auth=Bearer tok-1\1\1")
            await server.until_said("IDLE", times=3)
            assert channel.troubles() == []


def test_client_credentials_ask_for_microsofts_scope(provider: Provider) -> None:
    chosen = _oauth2(
        provider, provider="microsoft", tenant="contoso", grant="client_credentials", refresh_token=""
    )
    assert oauth2.Tokens(chosen).get().text == "tok-1"
    assert provider.asked == [
        {
            "grant_type": "client_credentials", "client_id": "app", "client_secret": "battery-staple",
            "scope": "https://outlook.office365.com/.default",
        }
    ]  # fmt: skip


def test_the_secret_goes_by_no_proxy_of_the_environment(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What speaks in clear to this machine would say it to whomever the shell has named."""
    with Provider((200, {})) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "")
        assert oauth2.Tokens(_oauth2(provider)).get().text == "tok-1"
        assert proxy.asked == []


def test_a_token_is_asked_for_once_while_it_lasts(provider: Provider) -> None:
    tokens = oauth2.Tokens(_oauth2(provider))
    assert {tokens.get().text for _ in range(5)} == {"tok-1"}
    assert len(provider.asked) == 1


def test_a_replaced_refresh_token_is_kept_in_its_file(tmp_path: Path) -> None:
    """Microsoft hands out a new one with every use; the file holds the newest, for its owner alone."""
    path = tmp_path / "refresh-token"
    answers = [(200, {"access_token": "t", "refresh_token": f"rt-{n}"}) for n in (1, 2)]
    with Provider(*answers) as provider:
        chosen = _oauth2(provider, refresh_token_file=str(path))
        oauth2.Tokens(chosen).get()
        oauth2.Tokens(chosen).get()
    assert [each["refresh_token"] for each in provider.asked] == ["rt-0", "rt-1"]
    assert path.read_text().strip() == "rt-2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_replaced_refresh_token_that_cannot_be_written_is_used_all_the_same() -> None:
    answers = [(200, {"access_token": "t", "refresh_token": f"rt-{n}"}) for n in (1, 2)]
    with Provider(*answers) as provider:
        tokens = oauth2.Tokens(_oauth2(provider, refresh_token_file="/proc/self/comm"))
        tokens.forget(tokens.get())
        tokens.get()
    assert provider.asked[1]["refresh_token"] == "rt-1"
    assert tokens.is_rotated_unkept


@every_row(
    ("status", "answer", "told", "is_final"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "expired\r\nX"},
            "invalid_grant: expired X",
            True,
        ),
        (401, {"error": "invalid_client"}, "invalid_client", True),
        (503, {}, "503", False),
        (302, {}, "302", False),
        (200, {}, "no access_token", False),
    ],
)
def test_a_refusal_of_the_provider_is_one_sentence_without_secrets(
    status: int, answer: dict[str, Any], told: str, *, is_final: bool
) -> None:
    with Provider((status, answer)) as provider, pytest.raises(oauth2.TokenError) as caught:
        oauth2.Tokens(_oauth2(provider)).get()
    assert told in caught.value.reason
    assert caught.value.is_final is is_final
    assert not any(secret in repr(caught.value) for secret in ("battery-staple", "rt-0"))


def test_options_never_show_their_secrets(provider: Provider) -> None:
    chosen = options(143, password="", oauth2=_oauth2(provider))
    assert not any(secret in repr((chosen, chosen.oauth2)) for secret in ("battery-staple", "rt-0"))


@every_row(
    ("changes", "told"),
    [
        ({"password": ""}, "either password or oauth2"),
        ({"idle_s": 1_800}, "at most"),
        ({"folders": ()}, "at least one folder"),
        ({"folders": ("A", "A")}, "each once"),
        ({"afterwards": "move"}, "needs move_to"),
        ({"afterwards": "move", "move_to": "INBOX"}, "watched itself"),
        ({"mark": "two words"}, "mark is a flag"),
        ({"folders": ("INBOX\r\nA1 DELETE INBOX",)}, "control characters"),
        ({"username": "ann\r\nA1 LOGOUT"}, "control characters"),
        ({"poll_s": 0}, "poll_s must be"),
    ],
)
def test_a_mistake_in_the_options_is_one_sentence(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        options(143, **changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"token_url": "http://login.example.com/token"}, "https"),
        ({"token_url": "http://localhost:x@login.example.com/token"}, "https"),
        ({"token_url": ""}, "provider"),
        ({"refresh_token": ""}, "refresh_token_file"),
        ({"grant": "client_credentials", "client_secret": ""}, "client_secret"),
        ({"grant": "client_credentials", "provider": "google"}, "Google has no"),
        ({"provider": "microsoft", "tenant": "a/b"}, "tenant"),
    ],
)
def test_a_mistake_in_oauth2_is_one_sentence(provider: Provider, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        _oauth2(provider, **changes)


async def test_no_secret_of_a_token_login_is_logged(
    gate: Gate, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if name == "EXAMINE":
            raise Hangup
        return None

    with caplog.at_level(logging.DEBUG), Server(Folder(), play=play, tokens={"tok-1"}) as server:
        chosen = options(server.port, password="", oauth2=_oauth2(provider))
        async with watching.watching(gate, chosen):
            await server.until_said("EXAMINE", times=2)
    assert not any(secret in caplog.text for secret in ("tok-1", "battery-staple", "rt-0"))


def test_the_test_server_is_strict() -> None:
    """The password of another is refused: the tests above can fail."""
    with scripted.serving() as server:
        assert _tried(options(server.port, password="wrong"))
