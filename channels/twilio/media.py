"""Files that Twilio keeps for us (pictures of a text, recordings): named by URL, and fetched from there.

    https://api.twilio.com/2010-04-01/Accounts/AC…/Messages/MM…/Media/ME…       with HTTP Basic auth, SID and token
    -> 307 to a host of Twilio's that needs none, with a link that is good for some hours

A reference is such a URL. It comes from a request that Twilio has signed, and is asked only if it is of the account and on
the host of api_url; credentials go there and nowhere else. A redirect is followed by hand: to https on the usual port of
an address that is public, whatever its name says (channels.outside).
Source: twilio.com/docs/messaging/api/media-resource; help centre "Protect Media Access with HTTP Basic Authentication for
Programmable Messaging"; checked 2026-11. A WhatsApp file has at most 16 MB, an MMS 5 MB.
"""

import asyncio
import functools
import re
import ssl
import urllib.parse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from channels.contract import Fetched, FetchFailed
from channels.email import entity
from channels.twilio import media_names as names
from channels.twilio import settings

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver
    from yarl import URL

    from channels import outside

MAX_SIZE_BYTES = 20_971_520
MAX_REDIRECTS = 3
TOTAL_S = 45.0
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_EXTENDED_NAME = re.compile(r"filename\*\s*=\s*([\w-]+)'[\w-]*'([^;\s]+)", re.IGNORECASE)
_NAME = re.compile(r'filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]+))', re.IGNORECASE)


class Fetcher:
    """Fetches for one account. resolver, tls: None = the system's own; is_allowed: what may be connected to elsewhere."""

    def __init__(
        self,
        options: settings.Options,
        *,
        resolver: "AbstractResolver | None" = None,
        tls: ssl.SSLContext | None = None,
        is_allowed: Callable[[Any], bool] | None = None,
        port: int = 443,
        total_s: float = TOTAL_S,
        max_size_bytes: int = MAX_SIZE_BYTES,
    ) -> None:
        self._options, self._total_s = options, total_s
        self._guard = {
            "resolver": resolver,
            "tls": tls,
            "is_allowed": is_allowed,
            "port": port,
            "total_s": total_s,
            "max_size_bytes": max_size_bytes,
        }

    async def fetch(self, reference: str) -> Fetched:
        """Return the file. Raises: FetchFailed."""
        try:
            async with asyncio.timeout(self._total_s):
                return await self._followed(reference)
        except TimeoutError:
            raise FetchFailed(f"the file took longer than {self._total_s:g} s", retryable=True) from None

    async def close(self) -> None:
        if "_outside" in self.__dict__:  # nothing was asked: nothing is open
            await self._outside.close()

    @functools.cached_property
    def _outside(self) -> "outside.Outside":
        from channels import outside

        # Twilio's own host is on the Internet; another one has been named by the operator, and may be anywhere.
        api_url = self._options.api_url
        trusted = "" if api_url == settings.API_URL else api_url
        return outside.Outside(trusted=trusted, **self._guard)  # type: ignore[arg-type]  # as they came in

    async def _followed(self, reference: str) -> Fetched:
        url = self._own(reference)
        for _ in range(MAX_REDIRECTS + 1):
            async with self._outside.asked(url, headers=self._login(url)) as answer:
                if answer.status not in _REDIRECTS:
                    return await _content(answer)
                url = self._elsewhere(url, answer.headers.get("Location", ""))
        raise FetchFailed(f"the file is behind more than {MAX_REDIRECTS} redirects", retryable=False)

    def _own(self, reference: str) -> "URL":
        """Return the URL of a reference. Raises: FetchFailed when it is not one of this account at Twilio."""
        from yarl import URL

        inside = f"/2010-04-01/Accounts/{self._options.account_sid}/"
        try:
            url = URL(reference, encoded=True)
            is_own = self._is_home(url) and url.raw_path.startswith(inside) and not url.user
        except ValueError:
            is_own = False
        if not is_own or ".." in url.raw_path or "%" in url.raw_path:
            raise FetchFailed("the file's URL is not one of this account at Twilio", retryable=False)
        return url

    @functools.cached_property
    def _home(self) -> "URL":
        from yarl import URL

        return URL(self._options.api_url)

    def _is_home(self, url: "URL") -> bool:
        home = self._home
        return (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)

    def _login(self, url: "URL") -> dict[str, str]:
        import aiohttp

        return (
            {"Authorization": aiohttp.encode_basic_auth(*self._options.login)} if self._is_home(url) else {}
        )

    def _elsewhere(self, url: "URL", location: str) -> "URL":
        """Return where a redirect leads. Raises: FetchFailed when nobody should go there."""
        from yarl import URL

        try:
            return self._outside.checked(str(url.join(URL(location, encoded=True))) if location else "")
        except (ValueError, FetchFailed):
            raise FetchFailed(
                "a redirect of the file leads where files of Twilio's are not", retryable=False
            ) from None


async def _content(answer: "outside.Reply") -> Fetched:
    """Raises: FetchFailed."""
    if answer.status != 200:
        # A file may be asked for before it is there, and a token may be changed back: only "gone" is for ever.
        raise FetchFailed(f"the file's host answered {answer.status}", retryable=answer.status != 410)
    content_type = names.content_type_of(answer.headers.get("Content-Type", ""))
    if not names.is_kept(content_type):
        raise FetchFailed(f"the file is {content_type}, which is not kept", retryable=False)
    name = _file_name(answer.headers.get("Content-Disposition", ""))
    return Fetched(await answer.content(), content_type, name)


def _file_name(disposition: str) -> str:
    """Return the name that a Content-Disposition (RFC 6266 §4.3) gives, made safe; "" = none."""
    written = disposition[:1_000]
    extended, plain = _EXTENDED_NAME.search(written), _NAME.search(written)
    name = ""
    if extended is not None:
        charset = "latin-1" if extended[1].lower() == "iso-8859-1" else "utf-8"
        name = urllib.parse.unquote(extended[2], encoding=charset, errors="replace")
    elif plain is not None:
        name = re.sub(r"\\(.)", r"\1", plain[1] or "") or plain[2] or ""
    return entity.safe_name(name) if name.strip() else ""
