"""Who is on the line waits behind nobody's mail: what a caller has chosen is settled before a backlog."""

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from channels.contract import Happened, RawMessage, Turn, View
from channels.twilio.simulator.provider import ACCOUNT
from intake.store import schema
from intake.store.statements import Statement

if TYPE_CHECKING:
    from tests.phone.live import GoLive, Live

TEXTS = 250
CALL = "CA" + "7" * 32
_PENDING = Statement(select(func.count()).where(schema.journal.c.state == "pending"))
_PLACED = Statement(select(schema.calls.c.id).where(schema.calls.c.ticket_id.is_not(None)))


def text(live: "Live", number: int) -> RawMessage:
    sender = f"+4860010{number:04}"
    form = {"MessageSid": f"SM{number:032}", "AccountSid": ACCOUNT, "From": sender, "Body": f"Help {number}"}
    return RawMessage(
        kind="twilio.sms",
        account="sms",
        lane=f"phone:{sender}",
        body=urlencode(form | {"To": "+48221234567", "NumMedia": "0"}).encode(),
        received_at=live.clock(),
        keys=(f"text-{number}",),
        envelope={"path": "message"},
    )


def chosen(state: bytes | None, raw: RawMessage, view: View) -> Turn:
    told = {"choice": "billing", "open_ref": None}
    return Turn(state=b"1", reply="", happened=(Happened("menu_done", raw.received_at, told),))


@pytest.mark.slow
async def test_a_caller_is_placed_while_a_backlog_of_texts_waits(go_live: "GoLive") -> None:
    live = await go_live()
    gate, store = live.daemon.gate, live.store
    await asyncio.gather(*(gate.submit(text(live, number)) for number in range(TEXTS)))
    form = {"CallSid": CALL, "From": "+48600100200", "To": "+48221234567", "CallStatus": "in-progress"}
    raw = RawMessage(
        kind="twilio.voice",
        account="phone",
        lane=f"call:{CALL}",
        body=urlencode(form).encode(),
        received_at=live.clock(),
        keys=("turn-1",),
        envelope={"path": "call/menu"},
    )
    await gate.turn(f"phone:{CALL}", raw, chosen)
    async with asyncio.timeout(10):
        while await store.read(lambda tx: tx.one(_PLACED)) is None:
            await asyncio.sleep(0.002)
    waiting = await store.read(lambda tx: tx.one(_PENDING))
    assert waiting is not None
    assert waiting[0] > TEXTS // 2
