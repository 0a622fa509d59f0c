"""Fetches from Amazon SNS what a check of its posts needs: signing certificates, and the confirmation of a subscription.

Only addresses that channels.email.sns allows come here; TLS is verified, redirects are not followed, proxies of the
environment are not used, answers are small and quick or nothing. Certificates are kept a day; unknown ones are fetched a
few times a minute at most, so that forged posts cannot make this daemon call Amazon all day.
"""

import asyncio
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from channels.contract import Unavailable
from channels.email import sns

if TYPE_CHECKING:
    import aiohttp

TIMEOUT_S = 10
MAX_ANSWER_BYTES = 64 * 1024
KEPT_S = 24 * 3_600
MAX_KEPT = 16
FETCHES_PER_MINUTE = 10

Clock = Callable[[], float]


class Amazon:
    """What is known of Amazon's certificates. clock: Unix seconds; resolver, tls: None = the system's own."""

    def __init__(
        self,
        *,
        clock: Clock = time.time,
        resolver: "aiohttp.abc.AbstractResolver | None" = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._clock, self._resolver, self._tls = clock, resolver, tls
        self._session: aiohttp.ClientSession | None = None
        self._kept: dict[str, tuple[float, Any]] = {}
        self._fetched_at: list[float] = []
        self._lock = asyncio.Lock()

    async def has_signed(self, envelope: sns.Envelope) -> bool:
        """Tell whether Amazon signed it. envelope: of a configured topic.

        Raises: Unavailable when the certificate cannot be had now.
        """
        if not sns.is_certificate_url(envelope.signing_cert_url, envelope.topic_arn):
            return False
        certificate = await self._certificate(envelope.signing_cert_url)
        now = datetime.fromtimestamp(self._clock(), UTC)
        return (
            certificate is not None
            and sns.is_current(certificate, now)
            and sns.is_signed_by(certificate, envelope)
        )

    async def confirm(self, url: str) -> None:
        """Confirm a subscription. url: of sns.confirmation_url. Raises: Unavailable."""
        status, _ = await self._get(url)
        if status != 200:
            raise Unavailable(f"Amazon SNS answered {status} to the confirmation of a subscription")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _certificate(self, url: str) -> Any:
        """Give the certificate; None when there is none at that address, or something else."""
        kept = self._of_memory(url)
        if kept is not None:
            return kept
        async with self._lock:  # one fetch, however many posts wait for it
            kept = self._of_memory(url)
            return kept if kept is not None else await self._fetch(url)

    def _of_memory(self, url: str) -> Any:
        at, certificate = self._kept.get(url, (0.0, None))
        return certificate if self._clock() - at < KEPT_S else None

    async def _fetch(self, url: str) -> Any:
        self._count_fetch()
        status, pem = await self._get(url)
        if status in (403, 404):  # what S3 and SNS say of a name that is not there
            return None
        if status != 200:
            raise Unavailable(f"Amazon SNS answered {status} when asked for its certificate")
        certificate = sns.load_certificate(pem)
        if certificate is not None:
            self._kept.pop(url, None)
            if len(self._kept) >= MAX_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[url] = (self._clock(), certificate)
        return certificate

    def _count_fetch(self) -> None:
        now = self._clock()
        self._fetched_at = [at for at in self._fetched_at if now - at < 60]
        if len(self._fetched_at) >= FETCHES_PER_MINUTE:
            raise Unavailable("too many unknown certificates of Amazon were named within a minute")
        self._fetched_at.append(now)

    async def _get(self, url: str) -> tuple[int, bytes]:
        """Give status and body. url: from checked parts, sent as it is written. Raises: Unavailable."""
        import aiohttp
        from yarl import URL

        try:
            async with self._opened().get(URL(url, encoded=True), allow_redirects=False) as answer:
                body = await answer.content.read(MAX_ANSWER_BYTES + 1)
                while 0 < len(body) <= MAX_ANSWER_BYTES and not answer.content.at_eof():
                    body += await answer.content.read(MAX_ANSWER_BYTES + 1 - len(body))
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"Amazon SNS cannot be reached: {type(error).__name__}") from None
        if len(body) > MAX_ANSWER_BYTES:
            raise Unavailable("Amazon SNS answered with more than a certificate")
        return status, body

    def _opened(self) -> "aiohttp.ClientSession":
        if self._session is None:
            import aiohttp

            connector = aiohttp.TCPConnector(ssl=self._tls or True, resolver=self._resolver, limit=4)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                trust_env=False,
                headers={"User-Agent": "intake"},
            )
        return self._session
