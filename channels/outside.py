"""Fetches what somebody outside has named: the one guard that every such fetch goes through.

A URL of a stranger's leads to the Internet and nowhere else: https, the usual port, no user in it, a host whose every
address is public. The name is resolved once, what it leads to is checked, and a socket is made for a checked address only,
so nothing that reads a host in another way (an octal number, a name server that changes its mind) gets further than the
refusal. Redirects are answers like any others: who follows one asks again, and it is checked again. Size and time are
bounded, nothing is unpacked, proxies of the environment and cookies are not used.
Source: OWASP "Server-Side Request Forgery Prevention Cheat Sheet"; URL Standard §3.5 (hosts that end in a number);
checked 2026-11.
"""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from channels import public_addresses
from channels.contract import FetchFailed

if TYPE_CHECKING:
    import aiohttp
    from aiohttp.abc import AbstractResolver
    from yarl import URL

MAX_SIZE_BYTES = 20_971_520
MAX_URL_CHARS = 2_000
TOTAL_S = 45.0
CONNECT_S = 10.0
READ_S = 15.0
CONNECTIONS = 8
INSIDE = "the file's address does not lead to the Internet"

_UNWRITABLE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
# "127.1", "0x7f000001", "1.2.3.0x4": some readers make an address of it, and not all of them the same.
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$", re.IGNORECASE)


class Reply:
    """An answer whose body has not been read. headers: of any case."""

    def __init__(self, answer: "aiohttp.ClientResponse", *, max_size_bytes: int) -> None:
        self._answer, self._max_size_bytes = answer, max_size_bytes
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers

    async def content(self) -> bytes:
        """Return the whole body. Raises: FetchFailed when it is too large."""
        too_large = FetchFailed(f"the file is larger than {self._max_size_bytes:,} bytes", retryable=False)
        if (self._answer.content_length or 0) > self._max_size_bytes:
            raise too_large
        content = bytearray()
        async for chunk in self._answer.content.iter_any():
            content += chunk
            if len(content) > self._max_size_bytes:
                raise too_large
        return bytes(content)


class Outside:
    """Asks what strangers name. trusted: an origin that the operator has named, and that may be anywhere; "" = none.

    is_allowed: what may be connected to; resolver, tls: None = the system's own; port: the one that others may name.
    """

    def __init__(
        self,
        *,
        trusted: str = "",
        is_allowed: Callable[[Any], bool] | None = None,
        resolver: "AbstractResolver | None" = None,
        tls: ssl.SSLContext | None = None,
        port: int = 443,
        total_s: float = TOTAL_S,
        max_size_bytes: int = MAX_SIZE_BYTES,
    ) -> None:
        self._trusted, self._port = trusted, port
        self._is_allowed = is_allowed or public_addresses.is_public
        self._resolver, self._tls = resolver, tls
        self._total_s, self._max_size_bytes = total_s, max_size_bytes
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    def checked(self, written: str) -> "URL":
        """Return a URL that may be asked. Raises: FetchFailed, for ever, when nobody should go there."""
        url = _read(written)
        if url is None or not (self.is_trusted(url) or self._is_outside(url)):
            raise FetchFailed(INSIDE, retryable=False)
        return url

    def is_trusted(self, url: "URL") -> bool:
        """Tell whether a URL is of the origin that the operator has named."""
        from yarl import URL

        return bool(self._trusted) and _origin(url) == _origin(URL(self._trusted)) and not url.user

    @contextlib.asynccontextmanager
    async def asked(
        self, written: "str | URL", *, headers: Mapping[str, str] | None = None, post: bytes | None = None
    ) -> AsyncIterator[Reply]:
        """Ask for what a URL names; redirects are not followed. Raises: FetchFailed, without naming the address.

        post: what is sent there, None = nothing is.
        """
        import aiohttp

        url = self.checked(str(written))
        session = self._opened(is_trusted=self.is_trusted(url))
        try:
            async with (
                asyncio.timeout(self._total_s),
                session.request(
                    "GET" if post is None else "POST", url, data=post, headers=headers, allow_redirects=False
                ) as answer,
            ):
                yield Reply(answer, max_size_bytes=self._max_size_bytes)
        except TimeoutError:
            raise FetchFailed(f"the file took longer than {self._total_s:g} s", retryable=True) from None
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(getattr(error, "os_error", error), public_addresses.NotPublic):
                raise FetchFailed(INSIDE, retryable=False) from None
            # Its text would name the address, and a link to a file is a secret for as long as it is good.
            raise FetchFailed(
                f"the file's host cannot be reached: {type(error).__name__}", retryable=True
            ) from None

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _is_outside(self, url: "URL") -> bool:
        """Tell whether a URL may lead to the Internet. Names are judged when they are resolved; addresses need no name."""
        host = url.raw_host or ""
        if url.scheme != "https" or url.port != self._port or url.user or url.password or not host:
            return False
        address = public_addresses.read(host)
        if address is not None:
            return self._is_allowed(address)
        return not _ENDS_IN_NUMBER.search(host)

    def _opened(self, *, is_trusted: bool) -> "aiohttp.ClientSession":
        if is_trusted not in self._sessions:
            import aiohttp

            guarded: dict[str, Any] = {"resolver": self._resolver}
            if not is_trusted:
                guarded["resolver"] = public_addresses.PublicResolver(
                    resolver=self._resolver, is_allowed=self._is_allowed
                )
                guarded["socket_factory"] = self._socket
            connector = aiohttp.TCPConnector(ssl=self._tls or True, limit=CONNECTIONS, **guarded)
            self._sessions[is_trusted] = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(
                    total=self._total_s, sock_connect=CONNECT_S, sock_read=min(READ_S, self._total_s)
                ),
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "intake", "Accept-Encoding": "identity"},
            )
        return self._sessions[is_trusted]

    def _socket(self, found: tuple[Any, ...]) -> socket.socket:
        """Make the socket for an address that is about to be connected to. Raises: NotPublic.

        The last place where it can be looked at: whatever was read on the way here, this is where the bytes would go.
        """
        family, kind, protocol, _, where = found
        address = public_addresses.read(str(where[0]))
        if address is None or not self._is_allowed(address):
            raise public_addresses.NotPublic("an address that is not public was to be connected to")
        return socket.socket(family, kind, protocol)


def _read(written: str) -> "URL | None":
    """Return a URL as it is written; None = it is none, or two readers would read it differently."""
    from yarl import URL

    if len(written) > MAX_URL_CHARS or _UNWRITABLE.search(written):
        return None
    try:
        url = URL(written, encoded=written.isascii())
        is_whole = (
            url.absolute and url.port is not None and bool(url.raw_host)
        )  # read only now, and refused only now
    except ValueError:
        return None
    return url if is_whole else None


def _origin(url: "URL") -> tuple[str, str | None, int | None]:
    return url.scheme, url.host, url.port
