"""What Twilio holds of an account's texts or WhatsApp messages: those that came, and what became of those we sent."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from channels import contract
from channels.twilio import listing, recovered, settings
from channels.twilio.api import Api, ApiError
from channels.twilio.listing import Row
from channels.twilio.position import Window
from channels.twilio.reconcile import YOUNG, only
from channels.twilio.setup import Texting
from channels.twilio.taking import Found, is_general

TRIES = 5  # to list a message's files where Twilio fails at it; then the words come alone
REPORT_AFTER = timedelta(minutes=10)  # the callbacks of a message have come by then, as a rule


class Messages:
    """Lists the Messages resource for one account. medium: whatsapp's addresses have a prefix."""

    def __init__(
        self, account: str, options: settings.Options, *, kind: str, medium: Texting, api: Api
    ) -> None:
        self._account, self._options, self._kind, self._api = account, options, kind, api
        self._prefix = recovered.WHATSAPP if medium == "whatsapp" else ""
        self._failed: Counter[str] = Counter()  # MessageSid -> how often its files could not be listed

    async def clock(self, number: str) -> datetime | None:
        wanted = {"To": self._prefix + number}
        async for page in listing.pages(self._api, "Messages", "messages", wanted, page_size=1):
            return page.at
        return None

    async def found(self, number: str, window: Window, now: datetime) -> AsyncIterator[list[Found]]:
        """Give what came to a number, then what became of what went out."""
        own = self._prefix + number
        wanted = only({"To": own}, window, "DateSent")
        async for page in listing.pages(self._api, "Messages", "messages", wanted):
            rows = [row for row in page.rows if self._is_ours(row, window, now, own=own)]
            yield [self._message(row, now) for row in rows]
        if window.ours is not None:
            wanted = only({"From": own}, window.ours, "DateSent")
            async for page in listing.pages(self._api, "Messages", "messages", wanted):
                rows = [row for row in page.rows if _has_news(row, window.ours, now, own=own)]
                yield [self._status(row, now) for row in rows]

    def _is_ours(self, row: Row, window: Window, now: datetime, *, own: str) -> bool:
        """Whether a row is a message to the number, in the window, and old enough to be past its webhook."""
        at = recovered.happened_at(row)
        is_incoming = row.get("direction") == "inbound" and row.get("to") == own
        # What Twilio is still receiving may lack its files; should it stay so, half of it is better than nothing.
        age = REPORT_AFTER if row.get("status") == "receiving" else YOUNG
        return is_incoming and window.has(at) and (at is None or at <= now - age)

    def _message(self, row: Row, now: datetime) -> Found:
        async def raw(at: datetime) -> contract.RawMessage:
            media, problems = await self._media(row)
            return recovered.message(
                row,
                media,
                kind=self._kind,
                account=self._account,
                received_at=at,
                api_url=self._options.api_url,
                problems=problems,
            )

        return Found(
            keys=(recovered.message_key(self._options.account_sid, row["sid"]),),
            at=recovered.happened_at(row) or now,
            lane=recovered.lane(str(row.get("from", ""))),
            raw=raw,
        )

    async def _media(self, row: Row) -> tuple[list[Row], list[str]]:
        """Return a message's files, as the webhook would have named them. Raises: ApiError when it may help to wait."""
        if str(row.get("num_media") or "0") == "0":
            return [], []
        try:
            return await listing.everything(self._api, f"Messages/{row['sid']}/Media", "media_list", {}), []
        except ApiError as error:
            self._failed[row["sid"]] += error.status >= 500
            if is_general(error) or (error.is_transient and self._failed[row["sid"]] < TRIES):
                raise
            return [], [f"its {row['num_media']} files cannot be listed: {error}"]

    def _status(self, row: Row, now: datetime) -> Found:
        async def raw(at: datetime) -> contract.RawMessage:
            return recovered.status(row, kind=self._kind, account=self._account, received_at=at)

        word = str(row["status"])
        return Found(
            keys=(recovered.status_key(self._options.account_sid, row["sid"], word),),
            at=recovered.happened_at(row) or now,
            lane=recovered.lane(str(row.get("to", ""))),
            raw=raw,
            is_counted=False,
        )


def _has_news(row: Row, window: Window, now: datetime, *, own: str) -> bool:
    """Whether a row is a message that we may have sent by the API, and whose callbacks should have come by now."""
    at = recovered.happened_at(row)
    return (
        row.get("direction") == "outbound-api"
        and row.get("from") == own
        and row.get("status") not in recovered.UNSAID
        and window.has(at)
        and (at is None or at <= now - REPORT_AFTER)
    )
