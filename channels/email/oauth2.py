"""Access tokens for mailboxes by OAuth 2.0 (RFC 6749 §4.4 client credentials, §6 refresh token).

Providers' pages, checked 2026-11: Google "Using OAuth 2.0 to Access Google APIs" and "OAuth 2.0 Mechanism" (Gmail);
Microsoft "Authenticate an IMAP, POP or SMTP connection using OAuth" and "Refresh tokens in the Microsoft identity
platform". Google keeps one refresh token until it is revoked, or for 7 days while the consent screen is in testing;
Microsoft hands out a new one with every use and ends each after 90 days: `refresh_token_file` keeps the newest.
"""

import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from channels.email import hosts, oauth2_file

Mechanism = Literal["auto", "xoauth2", "oauthbearer"]
EARLY_S = 300  # before its end a token is replaced, and the connection that used it
MAX_ANSWER_BYTES = 1_000_000
_USUAL_LIFE_S = 3_600
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_ENDPOINTS = {
    "google": "https://oauth2.googleapis.com/token",
    "microsoft": "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
}
_SCOPES = {
    ("microsoft", "refresh_token"): "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
    ("microsoft", "client_credentials"): "https://outlook.office365.com/.default",
}
_HINTS = {
    "invalid_grant": "the refresh token was revoked or is too old: give consent again and set the new one",
    "invalid_client": "client_id or client_secret is wrong, or the secret has expired",
    "unauthorized_client": "the application may not use this flow: allow it with the provider",
    "invalid_scope": "set scope to what the provider's page on IMAP names",
}


class TokenError(Exception):
    """The provider gave no token. reason: one line without a secret; is_final: only a person can mend it."""

    def __init__(self, reason: str, *, hint: str = "", is_final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.is_final = is_final


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """provider: sets token_url and scope. tenant: Microsoft's name for the organisation.

    grant: refresh_token acts for a person who consented, client_credentials for the application itself.
    refresh_token_file: where the newest refresh token is kept; read first, written when the provider replaces it.
    """

    client_id: str
    client_secret: str = ""
    provider: Literal["google", "microsoft", "other"] = "other"
    grant: Literal["refresh_token", "client_credentials"] = "refresh_token"
    tenant: str = "common"
    refresh_token: str = ""
    refresh_token_file: str = ""
    token_url: str = ""
    scope: str = ""
    mechanism: Mechanism = "auto"

    def __post_init__(self) -> None:
        if self.provider == "other" and not self.token_url:
            raise ValueError("oauth2 needs a provider (google or microsoft) or a token_url")
        if not _is_safe(self.endpoint):
            raise ValueError("token_url must begin with https://")
        if self.grant == "refresh_token" and not (self.refresh_token or self.refresh_token_file):
            raise ValueError("grant: refresh_token needs refresh_token or refresh_token_file")
        if self.grant == "client_credentials" and not self.client_secret:
            raise ValueError("grant: client_credentials needs client_secret")
        if self.grant == "client_credentials" and self.provider == "google":
            raise ValueError("Google has no client_credentials for mailboxes: use grant: refresh_token")
        if not re.fullmatch(r"[\w.-]+", self.tenant):
            raise ValueError("tenant is the name or id of your organisation, like contoso.onmicrosoft.com")

    def __repr__(self) -> str:
        return f"Options(provider={self.provider!r}, grant={self.grant!r}, client_id={self.client_id!r})"

    @property
    def endpoint(self) -> str:
        return self.token_url or _ENDPOINTS.get(self.provider, "").format(tenant=self.tenant)


class Token(msgspec.Struct, frozen=True):
    """expires_at: epoch seconds."""

    text: str
    expires_at: float

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at})"


class Tokens:
    """Hands out a token that is good for some minutes yet. Safe in several threads, which share one request."""

    def __init__(
        self, options: Options, *, timeout_s: float = 30, clock: Callable[[], float] = time.time
    ) -> None:
        self._options = options
        self._timeout_s = timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._refresh_token = options.refresh_token
        self.is_rotated_unkept = False

    def get(self) -> Token:
        """Return a token; asks the provider when the last one is about to end. Raises: TokenError."""
        with self._lock:
            if self._token is None or self._token.expires_at - EARLY_S <= self._clock():
                self._token = self._fetch()
            return self._token

    def forget(self, token: Token) -> None:
        """Drop a token that a server refused."""
        with self._lock:
            if self._token is token:
                self._token = None

    def _fetch(self) -> Token:
        answer = _post(self._options.endpoint, self._form(), timeout_s=self._timeout_s)
        text = answer.get("access_token")
        if not isinstance(text, str) or not text or not text.isascii():
            raise TokenError("the answer of the token endpoint holds no access_token", is_final=False)
        self._keep_rotated(answer.get("refresh_token"))
        try:
            life_s = float(answer.get("expires_in", _USUAL_LIFE_S))
        except (TypeError, ValueError):
            life_s = _USUAL_LIFE_S
        # One that lives shorter than it is replaced early would be asked for at every look.
        return Token(text, self._clock() + max(life_s, EARLY_S * 1.2))

    def _form(self) -> dict[str, str]:
        options = self._options
        form = {"grant_type": options.grant, "client_id": options.client_id}
        scope = options.scope or _SCOPES.get((options.provider, options.grant), "")
        if options.client_secret:
            form["client_secret"] = options.client_secret
        if scope:
            form["scope"] = scope
        if options.grant == "refresh_token":
            form["refresh_token"] = self._newest_refresh_token()
        return form

    def _newest_refresh_token(self) -> str:
        if self._options.refresh_token_file and not self.is_rotated_unkept:
            try:
                kept = oauth2_file.read(Path(self._options.refresh_token_file))
            except OSError as error:
                raise TokenError(
                    f"{self._options.refresh_token_file} cannot be read: {error.strerror}",
                    hint="give the daemon's user the right to read and replace it",
                    is_final=True,
                ) from error
            if kept:
                return kept
        if not self._refresh_token:
            raise TokenError(
                "there is no refresh token", hint="set refresh_token, or put it into the file", is_final=True
            )
        return self._refresh_token

    def _keep_rotated(self, fresh: Any) -> None:
        if not isinstance(fresh, str) or not fresh or fresh == self._refresh_token:
            return
        self._refresh_token = fresh
        path = self._options.refresh_token_file
        try:
            if path:
                oauth2_file.write(Path(path), fresh)
            self.is_rotated_unkept = not path
        except OSError:
            self.is_rotated_unkept = True


def _is_safe(url: str) -> bool:
    """Whether a secret may be sent there: by TLS, or to this machine."""
    parts = urllib.parse.urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and hosts.is_this_machine(parts.hostname or ""))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the secret to another place."""

    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def _post(url: str, form: dict[str, str], *, timeout_s: float) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - the options allow https, and http to this machine
        url,
        data=urllib.parse.urlencode(form).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        method="POST",
    )
    # A proxy that the environment names would hear the secret, in clear where the endpoint is on this machine.
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            return _object(answer.read(MAX_ANSWER_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error.code, _object(error.read(MAX_ANSWER_BYTES))) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise TokenError(
            f"the token endpoint cannot be reached: {_line(str(reason))}", is_final=False
        ) from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _refusal(status: int, answer: dict[str, Any]) -> TokenError:
    code = _line(str(answer.get("error", "")))
    told = _line(str(answer.get("error_description", "")))
    sentence = f"the token endpoint answered {status} {code}{': ' + told if told else ''}".rstrip()
    return TokenError(sentence, hint=_HINTS.get(code, ""), is_final=status in (400, 401, 403))


def _line(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text)[:300].strip()
