"""Outside opening hours: a text with words of the admin's, who is on call, or a message; as a machine and as a desk."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.contract import Happened, Identity
from channels.twilio.phone import lint
from intake import opt_outs
from intake.model import Account
from intake.store import opening
from tests.domain.world import REPLIES
from tests.phone.calling import JAN, OWN, RULES, Desk, event, happened
from tests.phone.talking import ANIA, Call, options, placed

NIGHT = {"is_open": False, "next_open": datetime(2026, 11, 11, 8, 0, tzinfo=UTC), "zone": "Europe/Warsaw"}
BOTH = {"closed_text": "after_hours", "emergency": True}
LANDLINE = "+48221112233"


def closed(*, may_text: bool = True, **account: Any) -> Call:
    return Call(options(**(BOTH | account)), may_text=may_text, **NIGHT).start()


class TestTheMachine:
    def test_offers_a_text_and_who_is_on_call(self) -> None:
        call = closed()
        assert call.state.phase == "closed"
        assert "press 1" in call.said
        assert "In an emergency, press 2." in call.said

    def test_offers_no_text_to_who_would_not_get_it(self) -> None:
        call = closed(may_text=False)
        assert "text message" not in call.said
        assert call.press("1").words[-1] == "missed_key"

    def test_without_either_takes_a_message_at_once(self) -> None:
        assert closed(may_text=False, emergency=False).has("Record")

    def test_a_text_that_was_asked_for_is_told_and_a_message_is_taken(self) -> None:
        call = closed().press("1")
        assert "You will get a text message" in call.said
        assert call.has("Record")
        assert call.words[-2:] == ["text_asked", "voicemail_offered"]

    def test_hangs_up_after_the_text_where_no_message_is_wanted(self) -> None:
        call = closed(when_closed="hang_up").press("1")
        assert call.has("Hangup")
        assert call.hang_up().details["why"] == "closed"

    @pytest.mark.parametrize("key", ["2", "0"])
    def test_an_emergency_rings_who_is_on_call(self, key: str) -> None:
        call = closed().press(key)
        assert call.happened[-1].details["choice"] == "emergency"
        call.see(placed=placed(ANIA))
        call.follow(call.root.children[-1].words)
        assert call.has("Dial")

    def test_zero_rings_nobody_where_nobody_is_on_call(self) -> None:
        assert closed(emergency=False).press("0").words[-1] == "missed_key"

    def test_a_wrong_key_is_asked_again_once(self) -> None:
        call = closed().press("7")
        assert call.state.phase == "closed"
        assert call.press("7").has("Record")

    def test_silence_goes_on_to_a_message(self) -> None:
        assert closed().press("").has("Record")

    def test_star_says_it_again_and_closed_is_announced_once(self) -> None:
        call = closed().press("*")
        assert "We are closed at the moment." in call.said
        assert call.words.count("announced") == 1

    def test_hung_up_there_ends_as_closed(self) -> None:
        assert closed().hang_up().details["why"] == "closed"

    def test_hung_up_while_the_emergency_rings_ends_as_waiting(self) -> None:
        assert closed().press("2").hang_up().details["why"] == "hung_up_waiting"

    @pytest.mark.parametrize("language", ["pl", "el", "pt", "es", "de", "fr", "it", "nl"])
    def test_is_said_in_every_language(self, language: str) -> None:
        call = closed(languages=(language,), menu=())
        assert "1" in call.said
        assert "2" in call.said
        assert "press" not in call.said

    def test_lint_says_what_is_never_asked(self) -> None:
        found = [each.message for each in lint.problems(options(when_closed="ring", **BOTH))]
        assert sum("when_closed: ring" in each for each in found) == 2


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    monkeypatch.setitem(REPLIES, ("after_hours", "en"), "Subject: x\nSee https://help.example.com/night\n")
    monkeypatch.setitem(REPLIES, ("missed", "en"), "Subject: x\nYou called us. What is it about?\n")
    rules = "# closed\n" + RULES + "react:\n  - {id: back, on: call_missed, then: {reply: missed}}\n"
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        made = Desk(store, tmp_path, clock, rules=rules)
        accounts = dict(made.context.accounts) | {
            "phone": Account("phone", "twilio.voice", "voice", (OWN,), closed_text="after_hours"),
            "texts": Account("texts", "twilio.sms", "sms", (OWN,), can_deliver=True),
        }
        made.context = msgspec.structs.replace(made.context, accounts=accounts)
        yield made


def at_night(desk: Desk) -> None:
    """The next midnight in UTC, when the office of the rules is closed."""
    desk.clock.advance(seconds=86_400 - int(desk.clock().timestamp()) % 86_400)


def asks(desk: Desk, call: str = "CA1", *, caller: str | None = JAN) -> None:
    """A caller asks for the text and hangs up."""
    at = desk.clock()
    told: tuple[Happened, ...] = (happened("started", at), Happened("announced", at, {"what": "closed"}))
    desk.tell(event(*told, happened("text_asked", at, 6, by="digit"), call=call, caller=caller))
    ended = happened("ended", at, 9, status="completed", duration_s=9, why="closed")
    desk.tell(event(ended, call=call, caller=caller))
    desk.clock.advance(seconds=60)
    desk.fire_due()


def texts(desk: Desk) -> list[tuple[str, str]]:
    return [(each.to[0].address, each.text.strip()) for each in desk.sent() if each.account == "texts"]


def withheld(desk: Desk) -> list[str]:
    rows = desk.rows("events", "kind = 'reply_withheld' ORDER BY id")
    return [msgspec.json.decode(row["details"])["reason"] for row in rows]


class TestTheDesk:
    def test_sends_the_text_once_and_no_text_for_the_missed_call(self, desk: Desk) -> None:
        asks(desk)
        assert texts(desk) == [(JAN, "See https://help.example.com/night")]
        assert withheld(desk) == ["they asked for a text in the call"]

    def test_sends_it_while_the_caller_is_still_there(self, desk: Desk) -> None:
        at = desk.clock()
        desk.tell(event(happened("started", at), happened("text_asked", at, 6, by="digit")))
        assert len(texts(desk)) == 1

    def test_told_twice_it_is_one_text(self, desk: Desk) -> None:
        at = desk.clock()
        for _ in range(2):
            desk.tell(event(happened("started", at), happened("text_asked", at, 6, by="digit")))
        assert len(texts(desk)) == 1

    def test_not_again_within_the_hours_and_again_after_them(self, desk: Desk) -> None:
        asks(desk)
        desk.clock.advance(hours=11)
        asks(desk, "CA2")
        assert len(texts(desk)) == 1
        desk.clock.advance(hours=2)
        asks(desk, "CA3")
        assert len(texts(desk)) == 2

    @pytest.mark.parametrize("caller", [LANDLINE, None])
    def test_never_to_who_cannot_have_it(self, desk: Desk, caller: str | None) -> None:
        asks(desk, caller=caller)
        assert texts(desk) == []

    def test_never_to_who_has_said_stop(self, desk: Desk) -> None:
        desk.store.write_now(
            lambda tx: opt_outs.note(tx, Identity("phone", JAN), "out", how="word", account="texts")
        )
        asks(desk)
        assert [each["state"] for each in desk.rows("outbox", "medium = 'sms'")] == ["withheld"]

    def test_not_when_it_is_told_hours_later(self, desk: Desk) -> None:
        at = desk.clock()
        desk.clock.advance(hours=2)
        desk.tell(event(happened("started", at), happened("text_asked", at, 6, by="digit")))
        assert texts(desk) == []
        assert "the call was told of" in withheld(desk)[0]


class TestTheOffer:
    async def test_is_made_at_night_to_a_mobile(self, desk: Desk) -> None:
        at_night(desk)
        assert (await desk.view()).may_text

    async def test_is_not_made_while_we_are_open(self, desk: Desk) -> None:
        at_night(desk)
        desk.clock.advance(hours=9)  # ten in Warsaw, of a working day or not
        view = await desk.view()
        assert view.may_text is not view.is_open

    @pytest.mark.parametrize("caller", [LANDLINE, "+33612345678", None])
    async def test_is_not_made_to_who_would_not_get_it(self, desk: Desk, caller: str | None) -> None:
        """A landline, a country that may not be texted, a hidden number."""
        at_night(desk)
        desk.caller = None if caller is None else Identity("phone", caller)
        assert not (await desk.view()).may_text

    async def test_is_not_made_to_who_has_said_stop(self, desk: Desk) -> None:
        at_night(desk)
        desk.store.write_now(
            lambda tx: opt_outs.note(tx, Identity("phone", JAN), "out", how="word", account="texts")
        )
        assert not (await desk.view()).may_text

    async def test_is_not_made_again_within_the_hours(self, desk: Desk) -> None:
        at_night(desk)
        asks(desk)
        assert not (await desk.view("phone:CA2")).may_text
        desk.clock.advance(hours=12)
        at_night(desk)
        assert (await desk.view("phone:CA3")).may_text

    async def test_is_not_made_without_such_a_template(self, desk: Desk) -> None:
        at_night(desk)
        phone = msgspec.structs.replace(desk.context.accounts["phone"], closed_text="nothing_there")
        accounts = {**desk.context.accounts, "phone": phone}
        desk.context = msgspec.structs.replace(desk.context, accounts=accounts)
        assert not (await desk.view()).may_text
