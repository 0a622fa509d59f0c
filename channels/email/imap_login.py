"""From a configured account to a connection that is logged in, or to one sentence about why not.

TLS is verified; with STARTTLS nothing is said before it, and a server that does not offer it, or is already logged in
when it should be (PREAUTH, RFC 9051 §11.1), is left. SASL PLAIN, LOGIN, XOAUTH2 (Google's and Microsoft's) and OAUTHBEARER (RFC 7628).
"""

import imaplib
import re
import socket
import ssl
from collections.abc import Callable

from channels.email import imap_options, oauth2
from channels.email.imap_watch import Kind
from channels.email.imap_wire import Aborted, Client, Refused

# RFC 5530 and what large providers write: the server is at fault or has had enough of us, not the mail or the password.
_BUSY = re.compile(
    r"\[(UNAVAILABLE|LIMIT|OVERQUOTA|INUSE|THROTTLED)\]|too many|throttl|bandwidth|rate limit|try again",
    re.IGNORECASE,
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


class Trouble(Exception):
    """The mailbox cannot be used now. reason: one sentence; hint: what to do; kind: how long to wait depends on it."""

    def __init__(self, reason: str, *, hint: str = "", kind: Kind = "network") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.kind = kind


def is_busy(reason: str) -> bool:
    """Whether the server asks for patience."""
    return _BUSY.search(reason) is not None


def said(error: BaseException) -> str:
    """What an error says, as one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _UNPRINTABLE.sub(" ", text)[:400].strip() or type(error).__name__


class Login:
    """Makes connections for one account; its mailboxes share the tokens."""

    def __init__(self, options: imap_options.Options) -> None:
        self._options = options
        self.tokens = oauth2.Tokens(options.oauth2) if options.oauth2 else None

    def connect(self, opened: Callable[[Client], None] = lambda client: None) -> tuple[Client, float | None]:
        """Return a connection that is logged in, and the epoch second by which to replace it, None = never.

        opened: is told of the connection before anything is waited for on it. Raises: Trouble.
        """
        token = self._token()
        client = self._client()
        try:
            opened(client)
            self._secure(client)
            self._authenticate(client, token)
        except Trouble:
            client.interrupt()
            client.leave()
            raise
        except (*Aborted, *Refused) as error:
            client.interrupt()
            client.leave()
            raise self._explained(error) from None
        return client, token.expires_at - oauth2.EARLY_S / 2 if token else None

    def _token(self) -> oauth2.Token | None:
        if self.tokens is None:
            return None
        try:
            return self.tokens.get()
        except oauth2.TokenError as error:
            kind: Kind = "login" if error.is_final else "network"
            raise Trouble(error.reason, hint=error.hint, kind=kind) from None

    def _client(self) -> Client:
        options = self._options
        try:
            return Client(
                options.host,
                options.server_port,
                context=self._context() if options.tls == "implicit" else None,
                is_encrypted=options.tls == "implicit",
                timeout_s=options.timeout_s,
            )
        except (*Aborted, *Refused) as error:
            raise self._explained(error) from None

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._options.ca_file or None)

    def _secure(self, client: Client) -> None:
        if self._options.tls == "implicit":
            return
        if client.is_authenticated:
            raise Trouble(
                "the server says that we are logged in already, before TLS",
                hint="use tls: implicit; somebody may sit in between",
                kind="login",
            )
        if self._options.tls == "none":
            return
        if not client.has_capability("STARTTLS"):
            raise Trouble(
                "the server does not offer STARTTLS, so no password is sent",
                hint="use tls: implicit (port 993); if it used to offer it, somebody may sit in between",
                kind="login",
            )
        client.start_tls(self._context())

    def _authenticate(self, client: Client, token: oauth2.Token | None) -> None:
        if client.is_authenticated:
            return
        try:
            if token is not None:
                self._bring(client, token)
            else:
                self._say_password(client)
        except Aborted:
            raise
        except Refused as error:
            if self.tokens is not None and token is not None:
                self.tokens.forget(token)
            kind: Kind = "busy" if is_busy(said(error)) else "login"
            raise Trouble(
                f"the server refused the login of {self._options.username}: {said(error)}",
                hint="check username and password (or oauth2), and that IMAP is switched on for the mailbox",
                kind=kind,
            ) from None

    def _say_password(self, client: Client) -> None:
        options = self._options
        if client.has_capability("AUTH=PLAIN"):  # LOGIN of imaplib takes ASCII only
            client.plain_login(options.username, options.password)
        elif client.has_capability("LOGINDISABLED"):
            raise Trouble(
                "the server takes no password on this connection",
                hint="use tls: implicit, or oauth2 where the provider asks for it",
                kind="login",
            )
        else:
            client.login(options.username, options.password)

    def _bring(self, client: Client, token: oauth2.Token) -> None:
        """Log in with a token. A refusal comes as a challenge that has to be answered before the NO."""
        assert self._options.oauth2 is not None  # noqa: S101 - there would be no token
        name = self._options.username
        if _mechanism(client, self._options.oauth2.mechanism) == "OAUTHBEARER":
            first = f"n,a={name.replace('=', '=3D').replace(',', '=2C')},\1auth=Bearer {token.text}\1\1"
            answers = iter((first, "\1"))
        else:
            first = f"user={name}\1auth=Bearer {token.text}\1\1"
            answers = iter((first, ""))
        mechanism = "OAUTHBEARER" if first.startswith("n,") else "XOAUTH2"
        client.sasl_login(mechanism, lambda challenge: next(answers, None))

    def _explained(self, error: BaseException) -> Trouble:
        host, port = self._options.host, self._options.server_port
        if isinstance(error, ssl.SSLCertVerificationError):
            return Trouble(
                f"the certificate of {host} cannot be trusted: {error.verify_message}",
                hint="set host to the name in the certificate, or ca_file to your own authority",
                kind="login",
            )
        if isinstance(error, ssl.SSLError):
            return Trouble(
                f"no TLS with {host}:{port}: {said(error)}",
                hint="is tls right for this port? 993 is implicit",
            )
        if isinstance(error, FileNotFoundError):
            return Trouble(
                f"{self._options.ca_file} cannot be read: {said(error)}", hint="set ca_file", kind="login"
            )
        if isinstance(error, socket.gaierror):
            return Trouble(
                f"{host} cannot be found: {said(error)}", hint="is the host right, does DNS answer?"
            )
        if isinstance(error, imaplib.IMAP4.error) and is_busy(said(error)):
            return Trouble(f"{host} asks for patience: {said(error)}", kind="busy")
        return Trouble(
            f"no connection with {host}:{port}: {said(error)}", hint="is the server up and the port right?"
        )


def _mechanism(client: Client, wanted: oauth2.Mechanism) -> str:
    if wanted != "auto":
        return wanted.upper()
    only_bearer = client.has_capability("AUTH=OAUTHBEARER") and not client.has_capability("AUTH=XOAUTH2")
    return "OAUTHBEARER" if only_bearer else "XOAUTH2"
