"""Twilio's side of a webhook: signs it for the public URL, posts it to where the daemon listens, reads what comes back.

Source: twilio.com/docs/usage/webhooks/webhooks-connection-overrides and the pages of 11200, 11205, 11215 (2026-11): a
call's document is asked for once more at the fallback URL, with ErrorCode and ErrorUrl; a text's webhook likewise; status
callbacks are not asked for again.
"""

import contextlib
import time
import urllib.parse
from collections.abc import Mapping, Sequence

import aiohttp
import msgspec

from channels.twilio.simulator import grammar, signing
from channels.twilio.simulator.grammar import Element, Flawed, Place
from channels.twilio.simulator.provider import Provider

TIMEOUT_S = 15.0  # twilio.com/docs/api/errors/11205
UNREACHABLE, REFUSED = 11205, 11200


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook. url: the public one; status: 0 = nobody answered; took_ms: for real."""

    url: str
    form: tuple[tuple[str, str], ...]
    status: int
    content_type: str = ""
    body: bytes = b""
    took_ms: float = 0
    error: str = ""

    @property
    def path(self) -> str:
        return urllib.parse.urlsplit(self.url).path

    def __getitem__(self, name: str) -> str:
        return dict(self.form).get(name, "")


class Failed(Exception):
    """A document did not come, or is none. code: Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


class Webhooks:
    """Posts to one daemon. public_url: what is signed; base_url: where it listens really, "" = the same.

    doubled: every webhook is sent again at once, as after a connection that broke, and the answer must be the same one.
    timeout_s: for real; more than Twilio's where a machine has too much to do for it to mean anything.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        public_url: str,
        base_url: str = "",
        session: aiohttp.ClientSession,
        is_doubled: bool = False,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._provider, self._session = provider, session
        self._public_url, self._base_url = public_url.rstrip("/"), (base_url or public_url).rstrip("/")
        self.is_doubled, self._timeout_s = is_doubled, timeout_s
        self.token = provider.token
        self.lost: set[str] = set()
        self.exchanges: list[Exchange] = []
        self.errors: list[str] = []

    async def tell(self, url: str, form: Mapping[str, str], *, place: Place = "voice") -> Exchange:
        """Post something that is only to be taken note of; an answer that is none, or no TwiML, is an error."""
        exchange = await self.post(url, form)
        if not self._is_lost(exchange.url):
            with contextlib.suppress(Failed):
                self._read(exchange, place)
        return exchange

    async def post(self, url: str, form: Mapping[str, str] | Sequence[tuple[str, str]]) -> Exchange:
        """Post a form, signed; whatever comes back is an answer."""
        url, fragment = urllib.parse.urldefrag(url)  # how patient Twilio is to be: it is sent to nobody
        pairs = tuple(form.items()) if isinstance(form, Mapping) else tuple(form)
        exchange = await self._exchange(url, pairs)
        for _ in range(_tries_more(fragment)):
            if not _is_tried_again(exchange, fragment):
                break
            exchange = await self._exchange(url, pairs)
        if self.is_doubled and exchange.status:
            again = await self._exchange(url, pairs)
            if (again.status, again.body) != (exchange.status, exchange.body):
                self.errors.append(f"{exchange.path}: the same webhook was answered in two ways")
        return exchange

    async def _exchange(self, url: str, pairs: tuple[tuple[str, str], ...]) -> Exchange:
        began = time.perf_counter()
        try:
            exchange = await self._sent(url, pairs)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            exchange = Exchange(url=url, form=pairs, status=0, error=str(error) or type(error).__name__)
        exchange = msgspec.structs.replace(exchange, took_ms=(time.perf_counter() - began) * 1000)
        self.exchanges.append(exchange)
        return exchange

    async def _sent(self, url: str, pairs: tuple[tuple[str, str], ...]) -> Exchange:
        if not url.startswith(f"{self._public_url}/") or self._is_lost(url):
            return Exchange(url=url, form=pairs, status=0, error="nobody is there")
        headers = {signing.HEADER: signing.signature(self.token, url, pairs), "User-Agent": "TwilioProxy/1.1"}
        to = self._base_url + url.removeprefix(self._public_url)
        timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        # Twilio would follow a redirect with a GET; none of ours ever means that.
        posting = self._session.post(
            to, data=list(pairs), headers=headers, timeout=timeout, allow_redirects=False
        )
        async with posting as answer:
            body = await answer.read()
            kind = answer.headers.get("Content-Type", "")
            return Exchange(url=url, form=pairs, status=answer.status, content_type=kind, body=body)

    def _is_lost(self, url: str) -> bool:
        path = urllib.parse.urlsplit(url).path
        return any(path.endswith(each) for each in self.lost)

    async def document(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        place: Place = "voice",
        fallback_url: str = "",
    ) -> Element:
        """Ask for TwiML; when it does not come, once more at the fallback. Raises: Failed."""
        try:
            return self._read(await self.post(url, form), place)
        except Failed as failed:
            if not fallback_url or fallback_url == url:
                raise
            told = {**form, "ErrorCode": str(failed.code), "ErrorUrl": urllib.parse.urldefrag(url).url}
            return self._read(await self.post(fallback_url, told), place)

    def _read(self, exchange: Exchange, place: Place) -> Element:
        if exchange.status == 0:
            raise self._failed(UNREACHABLE, exchange, exchange.error)
        if not 200 <= exchange.status < 300:
            raise self._failed(REFUSED, exchange, f"HTTP {exchange.status}")
        try:
            return grammar.read(exchange.body, content_type=exchange.content_type, place=place)
        except Flawed as flawed:
            raise self._failed(flawed.flaws[0].code, exchange, str(flawed)) from None

    def _failed(self, code: int, exchange: Exchange, message: str) -> Failed:
        self.errors.append(f"{exchange.path}: {message} ({code})")
        return Failed(code, message)


def _tries_more(fragment: str) -> int:
    """How often a webhook is tried again (rc, 0 to 5)."""
    found = dict(urllib.parse.parse_qsl(fragment)).get("rc", "0")
    return min(int(found), 5) if found.isdecimal() else 0


def _is_tried_again(exchange: Exchange, fragment: str) -> bool:
    """Whether it failed in a way after which it is tried again (rp: 4xx, 5xx, ct, rt, all)."""
    reasons = dict(urllib.parse.parse_qsl(fragment)).get("rp", "ct").split(",")
    failed = {0: "ct", 4: "4xx", 5: "5xx"}.get(exchange.status // 100)
    return failed is not None and (failed in reasons or "all" in reasons)


def resolved(url: str, *, of: str) -> str:
    """Give a URL of a document as an absolute one: relative ones stand beside the document's own."""
    return urllib.parse.urljoin(of, url)
