"""Twilio's REST API through the `twilio` package: one client for an account, one exception for whatever goes wrong.

    api = Api(options)
    message = await api.call(lambda twilio: twilio.messages.create_async(to=…, from_=…, body=…))

`options.api_url` stands in for every host of Twilio (api., content., messaging.), so a simulated provider is an option
and not a patch. Each request has a timeout, connecting included; nothing is retried here, for only who asked knows
whether asking twice does harm: `ApiError.is_unknown` says that the other side may have done what it was asked.
Importing the package takes 0.2 s and its first call as long again for lazy modules: both happen in a thread, before the
first call. Requests are made by aiohttp, one pool of connections for each Api; an Api belongs to one event loop.
Source: twilio.com/docs/usage/twilios-response and twilio.com/docs/usage/requests-to-twilio (checked 2026-11).
"""

import asyncio
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import msgspec
import yarl

from channels.twilio import settings

if TYPE_CHECKING:
    from twilio.http import AsyncHttpClient
    from twilio.rest import Client

ANSWER_MAX_BYTES = 8_000_000  # a page of 1 000 messages is 2 MB
CONNECT_S = 5.0
TOO_MANY = 429
_TWILIO = ".twilio.com"

T = TypeVar("T")


class ApiError(Exception):
    """Twilio did not do what it was asked, or nobody knows whether it did.

    status: HTTP, 0 = there was no answer. code: Twilio's own (channels.twilio.codes), 0 = it named none.
    message: one line, as Twilio says it. is_unknown: it may have been done all the same: the connection broke or the
    time ran out after the request was sent, or Twilio failed on the way (5xx).
    """

    def __init__(self, message: str, *, status: int = 0, code: int = 0, is_unknown: bool = False) -> None:
        super().__init__(message)
        self.message, self.status, self.code, self.is_unknown = message, status, code, is_unknown

    @property
    def is_transient(self) -> bool:
        """Whether the same request may be taken later: no answer, too many at once, a fault of Twilio's."""
        return self.status in (0, TOO_MANY) or self.status >= 500

    def __str__(self) -> str:
        code = f" {self.code}" if self.code else ""
        return f"Twilio{code}: {self.message}" if self.status else self.message


class AnswerTooLongError(ApiError):
    """The answer is more than is read: less of it has to be asked for."""


class Api:
    """The REST API of one account of Twilio, as an account of intake.yaml has it."""

    def __init__(self, options: settings.Options) -> None:
        self._options = options
        self._http: Any = None
        self._client: Client | None = None
        self._warming = asyncio.Lock()

    async def call(self, what: Callable[["Client"], Awaitable[T]]) -> T:
        """Return what a request to Twilio brings. what: makes it from the package's client.

        Raises: ApiError, and nothing else that the network, Twilio or the package may come up with.
        """
        if not self._options.login[1]:
            raise ApiError("the account has no auth_token, so Twilio cannot be asked anything", status=401)
        try:
            return await what(await self.client())
        except ApiError:
            raise
        except Exception as error:
            raise _translated(error) from error

    async def client(self) -> "Client":
        """Return the package's client, ready: its modules are loaded off the loop the first time."""
        if self._client is None:
            async with self._warming:
                if self._client is None:
                    self._client, self._http = await asyncio.to_thread(_warmed_up, self._options)
        return self._client

    async def close(self) -> None:
        """Close the connections; a later call opens them again."""
        if self._http is not None:
            await self._http.close()


def _translated(error: Exception) -> ApiError:
    """Return the one exception for what the package raises."""
    status, code = getattr(error, "status", None), getattr(error, "code", None)
    if not isinstance(status, int):
        # The package could not read the answer: there was one, and what it says is not known.
        return ApiError(f"Twilio's answer is not one: {type(error).__name__}", is_unknown=True)
    said = str(getattr(error, "detail", None) or getattr(error, "title", None) or getattr(error, "msg", ""))
    # The package puts the status where Twilio named no code of its own.
    known = code if isinstance(code, int) and code != status else 0
    message = " ".join(said.split())[:500] or f"HTTP {status}"
    return ApiError(message, status=status, code=known, is_unknown=status >= 500)


def _warmed_up(options: settings.Options) -> tuple["Client", "AsyncHttpClient"]:
    """Import the package and the modules that it loads when they are first used."""
    from twilio.rest import Client

    http = _http_client(options)
    client = Client(*options.login, options.account_sid, http_client=http)
    account = client.api.v2010.account
    for lazy in ("messages", "calls", "recordings", "incoming_phone_numbers"):
        getattr(account, lazy)
    return client, http


def _http_client(options: settings.Options) -> "AsyncHttpClient":
    """Return the package's HTTP client with our address, our time limit, and errors that say what is known."""
    from twilio.http.async_http_client import AsyncTwilioHttpClient
    from twilio.http.response import Response

    class Http(AsyncTwilioHttpClient):  # type: ignore[misc] # the package has no types
        def __init__(self) -> None:
            super().__init__(pool_connections=False, timeout=options.timeout_s)
            self._connections: aiohttp.ClientSession | None = None

        async def request(
            self,
            method: str,
            url: str,
            params: Mapping[str, object] | None = None,
            data: Mapping[str, object] | None = None,
            headers: Mapping[str, str] | None = None,
            auth: tuple[str, str] | None = None,
            timeout: float | None = None,  # noqa: ASYNC109 - the package's signature
            allow_redirects: bool = False,  # noqa: FBT001, FBT002 - the package's signature
        ) -> Response:
            if self._connections is None or self._connections.closed:
                self._connections = aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(
                        total=options.timeout_s, sock_connect=min(CONNECT_S, options.timeout_s)
                    )
                )
            to = rewritten(url, api_url=options.api_url) + (f"?{_form(params)}" if params else "")
            status, text, heads = await _exchange(
                self._connections,
                method.upper(),
                to,
                data=_body(data, headers or {}),
                headers=dict(headers or {}) | _authorization(auth),
            )
            return Response(status, text, heads)

        async def close(self) -> None:
            if self._connections is not None:
                await self._connections.close()

    return Http()


async def _exchange(
    connections: aiohttp.ClientSession, method: str, url: str, **parts: Any
) -> tuple[int, str, Mapping[str, str]]:
    """Send one request and read its answer: status, text, headers. Raises: ApiError when there is none."""
    try:
        where = yarl.URL(url, encoded=True)
        async with connections.request(method, where, allow_redirects=False, **parts) as answer:
            body = await _bounded(answer)
            return answer.status, body.decode("utf-8", "replace"), answer.headers
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise ApiError(f"Twilio cannot be reached: {_plainly(error)}") from error
    except TimeoutError as error:
        raise ApiError("Twilio did not answer in time", is_unknown=True) from error
    except (aiohttp.ClientError, OSError) as error:
        raise ApiError(f"the connection to Twilio broke: {_plainly(error)}", is_unknown=True) from error


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    body = await answer.content.read(ANSWER_MAX_BYTES + 1)
    while len(body) <= ANSWER_MAX_BYTES and not answer.content.at_eof():
        body += await answer.content.read(ANSWER_MAX_BYTES + 1 - len(body))
    if len(body) > ANSWER_MAX_BYTES:
        raise AnswerTooLongError(f"Twilio's answer is longer than {ANSWER_MAX_BYTES} bytes", is_unknown=True)
    return body


def rewritten(url: str, *, api_url: str) -> str:
    """Return where a request goes: every host of Twilio is `api_url` when that is not Twilio's own.

    https://content.twilio.com/v1/Content with api_url http://127.0.0.1:9 -> http://127.0.0.1:9/v1/Content
    and with https://api.dublin.ie1.twilio.com -> https://content.dublin.ie1.twilio.com/v1/Content: a region has each host.
    """
    parts, home = urllib.parse.urlsplit(url), urllib.parse.urlsplit(api_url.rstrip("/"))
    host = parts.hostname or ""
    if api_url.rstrip("/") == settings.API_URL or not host.endswith(_TWILIO):
        return url
    place = home.netloc
    if place.startswith("api.") and place.endswith(_TWILIO):
        place = f"{host.partition('.')[0]}.{place.removeprefix('api.')}"
    return urllib.parse.urlunsplit((home.scheme, place, home.path + parts.path, parts.query, ""))


def _form(values: Mapping[str, object]) -> str:
    """Return values as a form has them; a list is one name several times, None is left out."""
    return urllib.parse.urlencode(
        {name: value for name, value in values.items() if value is not None}, doseq=True
    )


def _body(values: Mapping[str, object] | None, headers: Mapping[str, str]) -> bytes | None:
    """Return what is posted: a form, or JSON where the package says so (Content API, WhatsApp senders)."""
    if not values:
        return None
    if headers.get("Content-Type") == "application/json":
        return msgspec.json.encode(values)
    return _form(values).encode()


def _authorization(auth: tuple[str, str] | None) -> dict[str, str]:
    """Return the header of HTTP Basic (RFC 7617 §2); aiohttp's own parameter for it is on its way out."""
    return {} if auth is None else {"Authorization": aiohttp.encode_basic_auth(*auth)}


def _plainly(error: Exception) -> str:
    """Return what went wrong in a few words: addresses of ours are in the configuration already."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]
