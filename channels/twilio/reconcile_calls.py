"""What Twilio holds of an account's calls: that they were, how they ended, what was recorded in them and what it cost.

A call that nobody answered, or that the files of the second host answered, is known only from here. Calls are listed by
their start, a day further back than they were read to: none lasts longer (twilio.com/docs/voice/api/call-resource,
TimeLimit, 24 h at most, checked 2026-11). Calls from tickets: channels.twilio.reconcile_out.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from channels import contract
from channels.twilio import listing, recovered, settings
from channels.twilio.api import Api
from channels.twilio.listing import Row, instant
from channels.twilio.position import Window
from channels.twilio.reconcile import only
from channels.twilio.reconcile_out import OutCalls
from channels.twilio.taking import Found

YOUNG = timedelta(minutes=2)  # the callbacks know why a call ended, and are waited for
LATEST = timedelta(days=1)  # from the start of a call to its recording
ENDED = frozenset(("completed", "busy", "no-answer", "failed", "canceled"))
PRICED = "priced"


class Calls:
    """Lists Calls, Recordings and Transcriptions for one account. has_transcripts: whether Twilio makes them."""

    def __init__(
        self, account: str, options: settings.Options, *, api: Api, has_transcripts: bool = False
    ) -> None:
        self._account, self._options, self._api = account, options, api
        self._has_transcripts = has_transcripts
        self._out = OutCalls(account, options, api=api)

    async def clock(self, number: str) -> datetime | None:
        async for page in listing.pages(self._api, "Calls", "calls", {"To": number}, page_size=1):
            return page.at
        return None

    async def found(self, number: str, window: Window, now: datetime) -> AsyncIterator[list[Found]]:
        """Give the calls to a number that are over, then what was recorded in them, then what was understood of it."""
        calls: set[str] = set()
        wanted = only({"To": number}, window, "StartTime")
        async for page in listing.pages(self._api, "Calls", "calls", wanted):
            rows = [row for row in page.rows if _is_over(row, window, now, number=number)]
            calls.update(row["sid"] for row in rows)
            yield [found for row in rows for found in self._ends(row, now)]
        recordings: dict[str, str] = {}
        if calls:
            async for recorded in self._recorded(calls, window, now):
                recordings.update((row["sid"], str(row["call_sid"])) for row in recorded)
                yield [self._recording(row, now) for row in recorded]
        if recordings and self._has_transcripts:
            async for understood in self._understood(recordings, window):
                yield [self._transcript(row, recordings, now) for row in understood]
        if window.ours is not None:
            async for made in self._out.found(number, window.ours, now):
                yield made

    def _ends(self, row: Row, now: datetime) -> list[Found]:
        """Return that a call is over, and, once it is known, what it cost."""
        ended = self._of_call(row["sid"], recovered.CALL_STATUS, str(row["status"]))
        found = [self._one(row, ended, _happened_at(row) or now, is_counted=True)]
        if row.get("price") is not None:
            priced = self._of_call(row["sid"], recovered.CALL_STATUS, PRICED)
            found.append(self._one(row, priced, _happened_at(row) or now, is_counted=False))
        return found

    def _one(self, row: Row, key: str, at: datetime, *, is_counted: bool) -> Found:
        async def raw(received_at: datetime) -> contract.RawMessage:
            return recovered.call(row, account=self._account, key=key, received_at=received_at)

        return Found(keys=(key,), at=at, lane=row["sid"], raw=raw, is_counted=is_counted)

    async def _recorded(self, calls: set[str], window: Window, now: datetime) -> AsyncIterator[list[Row]]:
        until = None if window.until is None else min(window.until + LATEST, now)
        wanted = only({}, msgspec.structs.replace(window, until=until), "DateCreated")
        async for page in listing.pages(self._api, "Recordings", "recordings", wanted):
            yield [
                row for row in page.rows if row.get("call_sid") in calls and row.get("status") == "completed"
            ]

    def _recording(self, row: Row, now: datetime) -> Found:
        key = self._of_call(str(row["call_sid"]), recovered.RECORDING, f"{row['sid']}:completed")

        async def raw(received_at: datetime) -> contract.RawMessage:
            return recovered.recording(row, account=self._account, key=key, received_at=received_at)

        at = instant(row.get("date_created")) or now
        return Found(keys=(key,), at=at, lane=str(row["call_sid"]), raw=raw)

    async def _understood(self, recordings: dict[str, str], window: Window) -> AsyncIterator[list[Row]]:
        """Give transcriptions of these recordings; the list knows no dates, so it is left where it gets too old."""
        async for page in listing.pages(self._api, "Transcriptions", "transcriptions", {}):
            yield [row for row in page.rows if row.get("recording_sid") in recordings]
            oldest = instant(page.rows[-1].get("date_created")) if page.rows else None
            if oldest is not None and oldest < window.start:
                return

    def _transcript(self, row: Row, recordings: dict[str, str], now: datetime) -> Found:
        call = recordings[row["recording_sid"]]
        key = self._of_call(call, recovered.TRANSCRIPTION, row["sid"])

        async def raw(received_at: datetime) -> contract.RawMessage:
            return recovered.transcription(
                row, call=call, account=self._account, key=key, received_at=received_at
            )

        at = instant(row.get("date_created")) or now
        return Found(keys=(key,), at=at, lane=call, raw=raw, is_counted=False)

    def _of_call(self, call: str, path: str, name: str) -> str:
        return recovered.call_key(self._options.account_sid, call, path, name)


def _happened_at(row: Row) -> datetime | None:
    return instant(row.get("start_time")) or instant(row.get("date_created"))


def _is_over(row: Row, window: Window, now: datetime, *, number: str) -> bool:
    """Whether a row is a customer's call to the number, over for long enough to be past its callbacks."""
    ended = recovered.ended_at(row)
    is_incoming = row.get("direction") == "inbound" and row.get("to") == number
    is_past = ended is None or ended <= now - YOUNG
    return is_incoming and row.get("status") in ENDED and is_past and window.has(_happened_at(row))
