"""A message is on the ticket, with its sound, within ten seconds of hanging up: real HTTP, a real daemon, the play's clock."""

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from sqlalchemy import select

from intake import playing, scenarios
from intake.store import schema
from intake.store.statements import Statement

if TYPE_CHECKING:
    from tests.phone.live import GoLive, Live

WITHIN_S = 10
LEFT = """
name: Nobody answers, and Jan leaves a message
people: {jan: "+48600100200"}
phones: {ewa: {number: "+48600000002"}, tomek: {number: "+48600000003"}}
desk: {phone: {transcription: none}}
steps:
  - call: {from: jan, does: [{press: "1"}, {press: "1"}, {leave: "Call me.", seconds: 6, hang_up: true}]}
"""
_e, _c = schema.events.c, schema.calls.c
_FETCHED = Statement(select(_e.at, _e.ticket_id).where(_e.kind == "file_fetched"))
_ENDED = Statement(select(_c.ended_at, _c.ticket_id, _c.message_id))
_FILES = Statement(select(schema.messages.c.attachments, schema.messages.c.id))


@pytest.mark.slow
@pytest.mark.timeout(120)  # of a busy machine
@pytest.mark.parametrize("refused", [0, 2])
async def test_the_sound_is_on_the_ticket_within_ten_seconds(go_live: "GoLive", refused: int) -> None:
    """Also when Twilio names the recording before it gives it: twice it is not there yet."""
    scenario = scenarios.from_text(LEFT, file="call.yaml")
    live = await go_live(desk=scenario.desk)
    play = playing.Play(scenario, live)
    if refused:
        live.provider.refuse(20404, refused)
    assert await play.run() == []
    ended_at, ticket_id, message_id = await one(live, _ENDED)
    for _ in range(2 * WITHIN_S):
        await live.settled()
        if await live.store.read(lambda tx: tx.one(_FETCHED)) is not None:
            break
        await live._passed(1.0)
    fetched_at, of_ticket = await one(live, _FETCHED)
    assert of_ticket == ticket_id
    assert (fetched_at - ended_at) / 1_000_000 <= WITHIN_S
    files = {row[1]: msgspec.json.decode(row[0]) for row in await live.store.read(lambda tx: tx.all(_FILES))}
    (sound,) = files[message_id]
    assert sound["size"] > 0
    assert live.provider.refusal is None


async def one(live: "Live", statement: Statement) -> tuple[Any, ...]:
    row = await live.store.read(lambda tx: tx.one(statement))
    assert row is not None
    return tuple(row)
