"""Fetches from Amazon SNS what a check of its posts needs: signing certificates, and the confirmation of a subscription.

Only addresses that channels.email.sns allows come here, and channels.outside asks them: TLS is verified, redirects are not
followed, answers are small and quick or nothing. Certificates are kept a day; unknown ones are fetched a
few times a minute at most, so that forged posts cannot make this daemon call Amazon all day.
"""

import asyncio
import functools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from channels.contract import FetchFailed, Unavailable
from channels.email import sns

if TYPE_CHECKING:
    from channels import outside

TIMEOUT_S = 10
MAX_ANSWER_BYTES = 64 * 1024
KEPT_S = 24 * 3_600
MAX_KEPT = 16
FETCHES_PER_MINUTE = 10

Clock = Callable[[], float]


class Amazon:
    """What is known of Amazon's certificates. clock: Unix seconds; guard: options of channels.outside.Outside."""

    def __init__(
        self,
        *,
        clock: Clock = time.time,
        **guard: Any,
    ) -> None:
        self._clock = clock
        self._guard: dict[str, Any] = {"total_s": TIMEOUT_S, "max_size_bytes": MAX_ANSWER_BYTES} | guard
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
        if "_outside" in self.__dict__:  # nothing was asked: nothing is open
            await self._outside.close()

    @functools.cached_property
    def _outside(self) -> "outside.Outside":
        from channels import outside

        return outside.Outside(**self._guard)

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
        try:
            async with self._outside.asked(url) as answer:
                return answer.status, await answer.content()
        except FetchFailed as failure:
            raise Unavailable(f"Amazon SNS cannot be asked: {failure.reason}") from None
