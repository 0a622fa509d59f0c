"""What Twilio holds of calls from our numbers: of those from tickets the end, recordings and cost; of agents' legs the cost.

The account also makes other calls, and other programs may call from the same number: a call is one from a ticket only if
the journal knows a request of it. It is known by the agent's leg, whose child the customer's is. The legs of agents in a
customer's call are found here where they are called with our number (`caller_id: own`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from channels import contract
from channels.twilio import listing, recovered, settings
from channels.twilio.api import Api
from channels.twilio.listing import Row, instant
from channels.twilio.position import Window
from channels.twilio.reconcile import only
from channels.twilio.taking import Found

YOUNG = timedelta(minutes=2)
ENDED = ("completed", "busy", "no-answer", "failed", "canceled")
TOLD = ("initiated", "ringing", "in-progress", *ENDED)
Make = Callable[[datetime], Awaitable[contract.RawMessage]]


class OutCalls:
    """Lists the calls from one number."""

    def __init__(self, account: str, options: settings.Options, *, api: Api) -> None:
        self._account, self._options, self._api = account, options, api

    async def found(self, number: str, window: Window, now: datetime) -> AsyncIterator[list[Found]]:
        """Give what is known of the calls that are over. Raises: ApiError."""
        legs: dict[str, list[Row]] = {}
        wanted = only({"From": number}, window, "StartTime")
        async for page in listing.pages(self._api, "Calls", "calls", wanted):
            for row in page.rows:
                legs.setdefault(str(row.get("parent_call_sid") or row["sid"]), []).append(row)
        calls = {call: rows for call, rows in legs.items() if _is_over(call, rows, now)}
        for call, rows in calls.items():
            yield [*self._ends(call, rows, now), *self._prices(call, rows, now)]
        for call, rows in legs.items():
            if _are_agents(call, rows, now):
                yield self._agents_prices(call, rows, now)
        if calls:
            async for page in listing.pages(
                self._api, "Recordings", "recordings", only({}, window, "DateCreated")
            ):
                yield [self._recording(row, now) for row in page.rows if _is_recorded(row, calls)]

    def _ends(self, call: str, rows: list[Row], now: datetime) -> list[Found]:
        """Return how the legs of customers ended."""
        return [self._end(call, row, now) for row in rows if row["sid"] != call]

    def _end(self, call: str, row: Row, now: datetime) -> Found:
        key = self._key(row["sid"], recovered.OUT_LEG, str(row["status"]))

        async def raw(at: datetime) -> contract.RawMessage:
            return recovered.leg(row, account=self._account, key=key, received_at=at)

        return self._one(call, key, recovered.ended_at(row) or now, raw)

    def _prices(self, call: str, rows: list[Row], now: datetime) -> list[Found]:
        """Return what a call cost, once the price of each leg is known."""
        price = _sum(rows)
        if price is None:
            return []
        agents = next(row for row in rows if row["sid"] == call)
        key = self._key(call, recovered.OUT, "priced")

        async def raw(at: datetime) -> contract.RawMessage:
            return recovered.price(agents, price, account=self._account, key=key, received_at=at)

        return [self._one(call, key, now, raw)]

    def _agents_prices(self, call: str, rows: list[Row], now: datetime) -> list[Found]:
        """Return what the agents' legs of a customer's call cost, once that is over and each price is known."""
        price = _sum(rows)
        if price is None:
            return []
        key = self._key(call, recovered.CALL_STATUS, "priced:agents")
        of = tuple(self._key(call, recovered.CALL_STATUS, status) for status in ENDED)

        async def raw(at: datetime) -> contract.RawMessage:
            return recovered.agents_price(
                call, rows[0], price, account=self._account, key=key, received_at=at
            )

        return [Found(keys=(key,), at=now, lane=call, raw=raw, is_counted=False, of=of)]

    def _recording(self, row: Row, now: datetime) -> Found:
        call = str(row["call_sid"])
        key = self._key(call, recovered.OUT_RECORDING, f"{row['sid']}completed")

        async def raw(at: datetime) -> contract.RawMessage:
            return recovered.recording(
                row, account=self._account, key=key, received_at=at, path=recovered.OUT_RECORDING
            )

        return self._one(call, key, instant(row.get("date_created")) or now, raw)

    def _one(self, call: str, key: str, at: datetime, raw: Make) -> Found:
        of = [self._key(call, recovered.OUT, "0")]
        of += [self._key(call, recovered.OUT_STATUS, status) for status in TOLD]
        return Found(keys=(key,), at=at, lane=call, raw=raw, is_counted=False, of=tuple(of))

    def _key(self, leg: str, path: str, name: str) -> str:
        return recovered.call_key(self._options.account_sid, leg, path, name)


def _is_over(call: str, rows: list[Row], now: datetime) -> bool:
    """Whether a call that we made is over, all of it, for long enough to be past its callbacks."""
    is_ours = any(row["sid"] == call and row.get("direction") == "outbound-api" for row in rows)
    return is_ours and _have_ended(rows, now)


def _are_agents(call: str, rows: list[Row], now: datetime) -> bool:
    """Whether these are the legs of a call that came in: their parent is none of the calls from our number."""
    are_legs = all(row["sid"] != call and row.get("direction") == "outbound-dial" for row in rows)
    return are_legs and _have_ended(rows, now)


def _have_ended(rows: list[Row], now: datetime) -> bool:
    ends = [recovered.ended_at(row) for row in rows]
    return all(row.get("status") in ENDED for row in rows) and all(
        end is None or end <= now - YOUNG for end in ends
    )


def _is_recorded(row: Row, calls: dict[str, list[Row]]) -> bool:
    return row.get("call_sid") in calls and row.get("status") == "completed"


def _sum(rows: list[Row]) -> str | None:
    """Return the price of all legs together ("-0.0295 USD"); None = not all of it is known. Who did not answer may have none."""
    try:
        total = sum((Decimal(str(row["price"])) for row in rows if row.get("price") is not None), Decimal())
    except InvalidOperation:
        return None
    unknown = [row for row in rows if row.get("price") is None]
    if len(unknown) == len(rows) or any(row.get("status") == "completed" for row in unknown):
        return None
    return f"{total} {str(rows[0].get('price_unit') or '').upper()}".strip()
