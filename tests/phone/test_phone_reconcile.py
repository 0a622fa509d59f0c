"""What no webhook brought is brought by the reconciler: each message once, whatever fails in between."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from channels import contract, testing
from channels.twilio import listing, position, probe, reconcile, setup, sms, status, voice, webhook, whatsapp
from channels.twilio.phone import moment
from channels.twilio.reconcile_messages import Messages
from channels.twilio.simulator import paging
from channels.twilio.simulator.provider import Provider
from intake import call_timeline, ledger
from intake.journal import Journal
from intake.keys import Keys
from intake.store import opening, schema
from intake.store.statements import Statement
from tests.phone.outage import JAN, MARIA, OTHER, OWN, Desk, form

SID = "AC" + "0" * 32


@pytest.fixture
async def desk(provider: Provider, api_url: str) -> AsyncIterator[Desk]:
    """A desk that has been up for a while: the first start is behind it."""
    desk = Desk(provider, api_url)
    await desk.round()
    provider.advance(60)
    yield desk
    await desk.api.close()


async def ended(desk: Desk) -> None:
    """Everything that happened is old enough by now; both accounts look."""
    desk.provider.advance(900)
    await desk.round()


# -- one message ------------------------------------------------------------------------------------------------------


async def test_a_text_that_no_webhook_brought_is_taken_with_the_webhooks_key(desk: Desk) -> None:
    sent = desk.provider.receive(JAN, OWN, "Zażółć gęślą, is anybody there?")
    await ended(desk)
    [raw] = desk.gate.stored
    assert raw.keys == desk.webhook(sent).keys
    assert (raw.lane, raw.kind, raw.account) == (f"phone:{JAN}", "twilio.sms", "texts")
    assert raw.envelope == {"path": "message", "by": "reconciler", "sent_at": sent.created_at.isoformat()}
    said = form(raw)
    assert said["Body"] == sent.body
    assert (said["From"], said["To"], said["NumMedia"], said["MessageSid"]) == (JAN, OWN, "0", sent.sid)
    assert (await desk.gate.submit(desk.webhook(sent))).duplicate


async def test_what_a_webhook_brought_is_not_taken_again(desk: Desk) -> None:
    await desk.gate.submit(desk.webhook(desk.provider.receive(JAN, OWN, "Hello")))
    await ended(desk)
    assert desk.gate.submitted == 1


async def test_a_message_reads_as_its_webhook_would_have(desk: Desk) -> None:
    sent = desk.provider.receive(JAN, OWN, "Dzień dobry, gdzie jest moja paczka?")
    await ended(desk)
    message = sms.parse(desk.gate.stored[0], sms.Options(account_sid=desk.provider.account))
    assert isinstance(message, contract.Message)
    assert (message.text, message.message_id, message.sent_at) == (sent.body, sent.sid, sent.created_at)
    assert message.sender == contract.Identity("phone", JAN)


async def test_pictures_are_named_as_the_webhook_names_them_and_can_be_fetched(desk: Desk) -> None:
    files = (desk.provider.media(b"one"), desk.provider.media(b"two", "image/png"))
    sent = desk.provider.receive(JAN, OWN, "", media=files)
    await ended(desk)
    [raw] = desk.gate.stored
    said = form(raw)
    root = f"{desk.options.api_url}/2010-04-01/Accounts/{desk.provider.account}/Messages/{sent.sid}/Media"
    assert [said["MediaUrl0"], said["MediaUrl1"]] == [f"{root}/{each.sid}" for each in files]
    assert [said["NumMedia"], said["MediaContentType0"], said["MediaContentType1"]] == [
        "2",
        "image/jpeg",
        "image/png",
    ]
    assert set(sms.kept_elsewhere(raw).values()) == {said["MediaUrl0"], said["MediaUrl1"]}


async def test_pictures_that_are_gone_do_not_keep_their_message_away(desk: Desk) -> None:
    sent = desk.provider.receive(JAN, OWN, "look", media=(desk.provider.media(b"one"),))
    desk.provider.texts[sent.sid + "x"] = desk.provider.texts.pop(
        sent.sid
    )  # listed, and not found by its name
    await ended(desk)
    [raw] = desk.gate.stored
    assert form(raw)["NumMedia"] == "0"
    assert "1 files cannot be listed" in raw.envelope["problems"][0]


async def test_messages_of_one_customer_come_in_their_order(desk: Desk) -> None:
    for number in range(20):
        desk.provider.receive(JAN if number % 2 else MARIA, OWN, f"{number}")
        desk.provider.advance(number % 3)  # some within the same second
    await ended(desk)
    for customer in (JAN, MARIA):
        said = [form(raw)["Body"] for raw in desk.gate.stored if raw.lane == f"phone:{customer}"]
        assert said == sorted(said, key=int)


async def test_the_order_is_that_of_the_dates_whatever_the_order_of_the_list(desk: Desk) -> None:
    for number in range(12):
        desk.provider.receive(JAN, OWN, f"{number}")
        desk.provider.advance(1)
    shuffled = list(desk.provider.texts.items())
    random.Random(2).shuffle(shuffled)
    desk.provider.texts = dict(shuffled)
    await ended(desk)
    assert desk.said == [str(number) for number in range(12)]


async def test_what_is_young_is_left_to_its_webhook_until_the_next_round(desk: Desk) -> None:
    desk.provider.receive(JAN, OWN, "Hello")
    desk.provider.advance(20)
    await desk.round()
    assert desk.said == []
    desk.provider.advance(20)
    await desk.round()
    assert desk.said == ["Hello"]


async def test_what_twilio_shows_late_is_still_found(desk: Desk) -> None:
    """A message becomes visible after a round that its date lies before."""
    late = desk.provider.receive(JAN, OWN, "late")
    del desk.provider.texts[late.sid]
    desk.provider.advance(3_600)
    desk.provider.receive(JAN, OWN, "on time")
    await ended(desk)
    desk.provider.texts = {late.sid: late, **desk.provider.texts}
    await ended(desk)
    assert sorted(desk.said) == ["late", "on time"]


async def test_what_is_brought_has_the_key_that_the_webhook_gives_it(desk: Desk) -> None:
    """Both sides name it on their own; only the same name makes them the same message."""
    account = desk.provider.account
    recording = desk.recorded(desk.called())
    desk.understood(recording, "Hello")
    sent = desk.reported("delivered")
    await ended(desk)
    given = voice.Options(account_sid=account)
    for raw in desk.gate.stored:
        if raw.account == "phone":
            assert raw.keys == (voice.key(given, moment.read(raw)),)
        else:
            posted = webhook.Verified(
                account="texts",
                path="status",
                query={},
                form=form(raw),
                body=raw.body,
                received_at=raw.received_at,
            )
            again = status.raw(posted, kind="twilio.sms")
            assert (raw.keys, raw.lane) == (again.keys, again.lane)
            assert raw.keys == (f"twilio:{account}:{sent.sid}:delivered",)
    assert len(desk.gate.stored) == 4


def test_setup_names_routes_that_there_are() -> None:
    paths = {
        each.path
        for each in voice.Channel("phone", voice.Options(account_sid=SID)).routes(testing.MemoryGate())
    }
    assert {f"/{path}" for path in (setup.CALL, setup.CALL_STATUS, probe.CHECK)} <= paths
    paths = {
        each.path for each in sms.Channel("texts", sms.Options(account_sid=SID)).routes(testing.MemoryGate())
    }
    assert {f"/{path}" for path in (setup.MESSAGE, setup.STATUS, probe.CHECK)} <= paths


# -- whose it is ------------------------------------------------------------------------------------------------------


async def test_accounts_that_share_a_twilio_account_take_their_own_numbers_only(
    api_url: str, provider: Provider
) -> None:
    desks = [Desk(provider, api_url, numbers=(number,)) for number in (OWN, OTHER)]
    for each in desks:
        await each.round()
    provider.advance(60)
    for number in (OWN, OTHER):
        provider.receive(JAN, number, f"to {number}")
    provider.advance(60)
    for each in desks:
        await each.round()
        await each.api.close()
    assert [each.said for each in desks] == [[f"to {OWN}"], [f"to {OTHER}"]]


async def test_every_number_of_an_account_is_looked_at(api_url: str, provider: Provider) -> None:
    desk = Desk(provider, api_url, numbers=(OWN, OTHER))
    await desk.round()
    provider.receive(JAN, OWN, "one")
    provider.receive(JAN, OTHER, "other")
    desk.called(to=OTHER)
    await ended(desk)
    await desk.api.close()
    assert sorted(desk.said) == ["one", "other"]
    places = {(each.account, each.place) for each in desk.gate.inventories}
    assert places == {(account, number) for account in ("texts", "phone") for number in (OWN, OTHER)}


@pytest.mark.parametrize("to", [OTHER, f"whatsapp:{OWN}"])
async def test_what_came_to_another_address_is_left_alone(desk: Desk, to: str) -> None:
    desk.provider.receive(JAN, to, "not ours")
    desk.called(to=OTHER)
    await ended(desk)
    assert desk.gate.stored == []


async def test_whatsapp_has_addresses_of_its_own(provider: Provider, api_url: str) -> None:
    desk = Desk(provider, api_url)
    source = Messages("wa", desk.options, kind="twilio.whatsapp", medium="whatsapp", api=desk.api)
    reconciler = reconcile.Reconciler("wa", desk.options, source)
    await reconciler.round(desk.gate)
    provider.advance(60)
    provider.receive(f"whatsapp:{JAN}", f"whatsapp:{OWN}", "by WhatsApp")
    provider.receive(JAN, OWN, "by SMS")
    provider.advance(60)
    await reconciler.round(desk.gate)
    await desk.api.close()
    [raw] = desk.gate.stored
    assert (raw.lane, raw.kind) == (f"whatsapp:{JAN}", "twilio.whatsapp")
    message = whatsapp.parse(raw, whatsapp.Options(account_sid=provider.account))
    assert isinstance(message, contract.Message)
    assert message.sender == contract.Identity("whatsapp", JAN)
    assert (message.text, message.problems) == ("by WhatsApp", ())


async def test_what_was_there_before_the_first_start_is_left_alone(provider: Provider, api_url: str) -> None:
    desk = Desk(provider, api_url)
    provider.receive(JAN, OWN, "old")
    desk.called()
    provider.advance(60)
    await desk.round()
    provider.receive(JAN, OWN, "new")
    await ended(desk)
    await desk.api.close()
    assert desk.said == ["new"]
    assert len(desk.gate.stored) == 1


async def test_where_it_began_is_kept_before_anything_is_listed(provider: Provider, api_url: str) -> None:
    """Killed in its first look, it would begin anew, and what came meanwhile would lie before that."""
    desk = Desk(provider, api_url)
    provider.receive(JAN, OWN, "old")
    provider.advance(60)
    with pytest.raises(Killed):
        await desk.texts().round(Mortal(desk.gate, 2, is_done=True))
    provider.receive(JAN, OWN, "new")
    await ended(desk)
    await desk.api.close()
    assert desk.said == ["new"]


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("all", ["in spring", "in autumn"]),
        ("2026-11-01", ["in autumn"]),
        ("2026-11-05", ["in autumn"]),
        ("2026-11-06", []),
    ],
)
async def test_the_account_says_from_when_on(
    api_url: str, provider: Provider, start: str, said: list[str]
) -> None:
    provider.at = datetime(2026, 4, 5, 12, tzinfo=UTC)
    provider.receive(JAN, OWN, "in spring")
    provider.at = datetime(2026, 11, 5, 12, tzinfo=UTC)
    provider.receive(JAN, OWN, "in autumn")
    provider.at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    desk = Desk(provider, api_url, start=start)
    await desk.texts().round(desk.gate)
    await desk.api.close()
    assert desk.said == said


# -- what became of ours ----------------------------------------------------------------------------------------------


async def test_a_report_that_never_came_is_looked_up(desk: Desk) -> None:
    sent = desk.reported("undelivered", code=30003)
    await ended(desk)
    [raw] = desk.gate.stored
    assert raw.keys == desk.callback(sent).keys
    report = sms.parse(raw, sms.Options(account_sid=desk.provider.account))
    assert isinstance(report, contract.DeliveryReport)
    assert (report.provider_id, report.state, report.code) == (sent.sid, "failed", "30003")


async def test_each_further_status_is_brought_as_it_comes(desk: Desk) -> None:
    sent = desk.reported("sent")
    await ended(desk)
    sent.status = "delivered"
    await ended(desk)
    await ended(desk)
    assert [form(raw)["MessageStatus"] for raw in desk.gate.stored] == ["sent", "delivered"]


@pytest.mark.parametrize("status", ["queued", "sending", "accepted", "scheduled"])
async def test_what_is_on_its_way_is_not_reported(desk: Desk, status: str) -> None:
    desk.reported(status)
    await ended(desk)
    assert desk.gate.stored == []


async def test_callbacks_have_ten_minutes(desk: Desk) -> None:
    desk.reported("delivered")
    desk.provider.advance(590)
    await desk.round()
    assert desk.gate.stored == []
    desk.provider.advance(20)
    await desk.round()
    assert len(desk.gate.stored) == 1


# -- calls ------------------------------------------------------------------------------------------------------------


def timeline(desk: Desk) -> call_timeline.State:
    """What the desk makes of all that was brought of its only call."""
    given = voice.Options(account_sid=desk.provider.account, numbers=(OWN,))
    told: tuple[contract.Happened, ...] = ()
    for raw in desk.gate.stored:
        event = voice.parse(raw, given)
        told = call_timeline.merged(told, event.happened)
    return call_timeline.state(told)


async def test_a_call_that_nobody_heard_of_is_a_missed_call(desk: Desk) -> None:
    call = desk.called(9)
    await ended(desk)
    [raw] = desk.gate.stored
    assert (raw.lane, raw.keys) == (f"call:{call.sid}", desk.status_of(call).keys)
    event = voice.parse(raw, voice.Options(account_sid=desk.provider.account))
    assert (event.call, event.direction, event.own) == (call.sid, "in", OWN)
    assert event.caller == contract.Identity("phone", JAN)
    assert [each.what for each in event.happened] == ["started", "ended"]
    assert [each.at for each in event.happened] == [call.started_at, call.ended_at]
    assert timeline(desk).outcome == "missed"


async def test_a_message_that_the_second_host_took_is_a_voicemail(desk: Desk) -> None:
    call = desk.called(40)
    recording = desk.recorded(call, 17)
    desk.understood(recording, "Please call me back.")
    await ended(desk)
    state = timeline(desk)
    assert state.outcome == "voicemail"
    assert [(each.name, each.duration_s, each.why) for each in state.recordings] == [
        (recording.sid, 17, "voicemail")
    ]
    assert state.transcript is not None
    assert state.transcript.text == "Please call me back."


async def test_the_recording_of_a_talk_is_told_as_such(desk: Desk) -> None:
    desk.recorded(desk.called(40), 30, source="DialVerb")
    await ended(desk)
    assert [each.why for each in timeline(desk).recordings] == ["call"]


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
async def test_a_call_that_failed_is_told(desk: Desk, status: str) -> None:
    desk.called(0, status=status)
    await ended(desk)
    assert timeline(desk).outcome == "failed"


async def test_a_call_under_way_is_waited_for(desk: Desk) -> None:
    call = desk.called(600)
    call.status, call.ended_at, over = "in-progress", None, call.ended_at
    await ended(desk)
    assert desk.gate.stored == []
    call.status, call.ended_at = "completed", over
    await ended(desk)
    assert len(desk.gate.stored) == 1


async def test_a_call_of_many_hours_is_found_when_it_ends(desk: Desk) -> None:
    call = desk.called(20 * 3_600)
    call.status, call.ended_at, over = "in-progress", None, call.ended_at
    for _ in range(20):
        desk.provider.advance(hours=1)
        await desk.round()
    call.status, call.ended_at = "completed", over
    await ended(desk)
    assert len(desk.gate.stored) == 1


async def test_a_price_that_comes_days_later_is_found_by_the_daily_sweep(desk: Desk) -> None:
    call = desk.called(60)
    for hours in range(72):
        await desk.round()
        desk.provider.advance(hours=1)
        if hours == 44:
            call.price = "-0.0085"
    assert timeline(desk).price == "-0.0085 USD"
    assert len(desk.gate.stored) == 2


async def test_a_sweep_that_was_broken_off_is_begun_again(provider: Provider, api_url: str) -> None:
    desk = Desk(provider, api_url, numbers=(OWN, OTHER))
    await desk.phone().round(desk.gate)
    provider.advance(hours=1)
    call = desk.called(60, to=OTHER)
    for _ in range(46):
        provider.advance(hours=1)
        await desk.phone().round(desk.gate)
    call.price = "-0.0085"
    provider.advance(hours=2)  # the sweep is due
    with pytest.raises(Killed):
        await desk.phone().round(Mortal(desk.gate, 3, is_done=False))
    provider.advance(hours=1)
    await desk.phone().round(desk.gate)
    await desk.api.close()
    assert timeline(desk).price == "-0.0085 USD"


async def test_a_call_of_ours_and_an_agents_leg_are_left_alone(desk: Desk) -> None:
    desk.called().direction = "outbound-api"
    desk.called(parent="CA1").direction = "outbound-dial"
    await ended(desk)
    assert desk.gate.stored == []


# -- the outage -------------------------------------------------------------------------------------------------------


async def test_half_an_hour_without_webhooks_is_brought_back_whole_each_once(desk: Desk) -> None:
    desk.half_an_hour(400)
    await ended(desk)
    assert len(desk.expected()) >= 400
    assert sorted(desk.taken) == sorted(desk.expected())
    await ended(desk)
    assert len(desk.taken) == len(desk.expected())


async def test_webhooks_that_come_late_and_in_parallel_make_nothing_twice(desk: Desk) -> None:
    told = desk.half_an_hour(400)
    source = random.Random(3)
    late = [raw for raw in told if source.random() < 0.5] * 2
    source.shuffle(late)
    desk.provider.advance(900)
    await asyncio.gather(desk.round(), *(desk.gate.submit(raw) for raw in late), desk.round())
    await ended(desk)
    assert sorted(desk.taken) == sorted(desk.expected())


async def test_a_real_journal_has_each_once_and_the_ledger_counts_them(
    tmp_path: Path, new_store: bytes, provider: Provider, api_url: str
) -> None:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path)) as store:
        keys = Keys.load_or_create(tmp_path / "keys.json")
        journal = Journal(store, keys, folder=tmp_path)
        desk = Desk(provider, api_url, journal)
        await desk.round()
        told = desk.half_an_hour(320)
        late = random.Random(5).sample(told, 160)
        provider.advance(900)
        await asyncio.gather(desk.round(), *(journal.submit(raw) for raw in late))
        await desk.round()
        await desk.api.close()
        kept = store.read_now(lambda tx: tx.all(_FIRST))
        counted = {row["account"]: row for row in ledger.rows(store)}
    assert sorted(row[0] for row in kept) == sorted(map(keys.fingerprint, desk.expected()))
    texts = [each for each in provider.texts.values() if each.direction == "inbound"]
    there = {"texts": len(texts), "phone": len(provider.calls) + len(provider.recordings)}
    for account, number in there.items():
        row = counted[account]
        assert (row["place"], row["on_server"], row["accounted"], row["missing"]) == (OWN, number, number, 0)


_FIRST = Statement(select(schema.journal.c.key).where(schema.journal.c.duplicate_of.is_(None)))


class Killed(BaseException):
    """The end of the process, as far as it can be played in one."""


class Mortal:
    """A gate that dies at its nth call: before it is done, or after."""

    def __init__(self, gate: testing.MemoryGate, nth: int, *, is_done: bool) -> None:
        self._gate, self._left, self._is_done = gate, nth, is_done

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._gate, name)

        async def call(*given: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._is_done:
                raise Killed
            answer = await real(*given)
            if self._left == 0:
                raise Killed
            return answer

        return call


@pytest.mark.parametrize("is_done", [False, True])
async def test_killed_at_each_step_nothing_is_lost_and_the_cursor_is_never_ahead(
    provider: Provider, api_url: str, *, is_done: bool
) -> None:
    desk = Desk(provider, api_url, start="2026-11-08")
    for number in range(4):
        provider.receive(JAN if number % 2 else MARIA, OWN, f"{number}")
        desk.recorded(desk.called(5))
        provider.advance(hours=11)
    for nth in range(1, 100):
        desk.gate = testing.MemoryGate()
        is_killed = await killed(desk, Mortal(desk.gate, nth, is_done=is_done))
        assert_cursor_is_behind(desk)
        await desk.round()
        assert sorted(desk.taken) == sorted(desk.expected())
        if not is_killed:
            break
    await desk.api.close()
    assert 20 < nth < 99


async def killed(desk: Desk, gate: Any) -> bool:
    """Look once; whether that was the end of it."""
    try:
        await desk.round(gate)
    except (Killed, BaseExceptionGroup):
        return True
    return False


def assert_cursor_is_behind(desk: Desk) -> None:
    """Whatever the cursor says was read is stored."""
    taken, provider = set(desk.taken), desk.provider
    for account in ("texts", "phone"):
        saved = desk.gate._cursors.get(account)
        found = position.decode(saved) if saved is not None else None
        read = found.read.get(OWN, found.since) if found is not None else datetime(2026, 1, 1, tzinfo=UTC)
        if account == "texts":
            due = {desk.webhook(each).keys[0] for each in provider.texts.values() if each.created_at <= read}
        else:
            calls = [each for each in provider.calls.values() if each.ended_at and each.ended_at <= read]
            due = {desk.status_of(each).keys[0] for each in calls}
        assert due <= taken


# -- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [9, 10, 11, 20, 21, 105])
async def test_a_list_is_read_to_its_end_whatever_the_number_of_its_pages(
    desk: Desk, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 10)
    for number in range(count):
        desk.provider.receive(f"+4860020{number % 7:04}", OWN, f"{number}")  # all within one second
    await ended(desk)
    assert len(desk.taken) == count
    assert set(desk.taken) == desk.expected()
    by_lane: dict[str, list[int]] = {}
    for raw in desk.gate.stored:
        by_lane.setdefault(raw.lane, []).append(int(form(raw)["Body"]))
    assert all(numbers == sorted(numbers) for numbers in by_lane.values())


async def test_a_message_that_arrives_while_pages_are_turned_hides_none(desk: Desk) -> None:
    for number in range(1_001):
        desk.provider.receive(JAN, OWN, f"{number}")
    desk.provider.advance(900)
    gate = Interrupted(desk.gate, lambda: desk.provider.receive(MARIA, OWN, "meanwhile"))
    await desk.texts().round(gate)
    assert len(desk.taken) == 1_001
    await ended(desk)
    assert set(desk.taken) == desk.expected()


class Interrupted:
    """A gate during whose look-ups something happens."""

    def __init__(self, gate: testing.MemoryGate, happens: Callable[[], object]) -> None:
        self._gate, self._happens = gate, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gate, name)

    async def known(self, keys: Any) -> frozenset[str]:
        self._happens()
        return await self._gate.known(keys)


async def test_more_keys_than_the_gate_takes_at_once_are_asked_in_portions(desk: Desk) -> None:
    asked: list[int] = []

    class Counting(Interrupted):
        async def known(self, keys: Any) -> frozenset[str]:
            asked.append(len(keys := list(keys)))
            return await desk.gate.known(keys)

    for _ in range(510):
        desk.called(5, price="-0.01")  # two keys each: that it ended, and what it cost
    desk.provider.advance(900)
    await desk.phone().round(Counting(desk.gate, lambda: None))
    assert sum(asked) == 1_020
    assert max(asked) == reconcile.KNOWN_AT_ONCE


# -- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [-1_440 * 3, -5, 5, 1_440 * 3])
async def test_a_clock_of_ours_that_is_wrong_hides_nothing(
    provider: Provider, api_url: str, minutes: int
) -> None:
    desk = Desk(provider, api_url)
    desk.skew = timedelta(minutes=minutes)
    await desk.round()
    for _ in range(4):
        provider.advance(hours=20)
        desk.half_an_hour(10)
        await ended(desk)
    desk.skew = timedelta()
    await ended(desk)
    await desk.api.close()
    assert sorted(desk.taken) == sorted(desk.expected())


@pytest.fixture
def warsaw() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Warsaw"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("warsaw")
@pytest.mark.parametrize("day", [datetime(2026, 3, 28, 23, 0), datetime(2026, 10, 24, 22, 30)])
async def test_the_hour_that_is_missing_or_doubled_is_an_hour_like_others(
    provider: Provider, api_url: str, day: datetime
) -> None:
    provider.at = day.replace(tzinfo=UTC)
    desk = Desk(provider, api_url)
    await desk.round()
    for _ in range(6):
        desk.half_an_hour(8)
        await ended(desk)
    await desk.api.close()
    assert sorted(desk.taken) == sorted(desk.expected())


async def test_a_month_away_is_made_up_for_day_by_day_the_oldest_first(desk: Desk) -> None:
    for number in range(30):
        desk.provider.receive(JAN, OWN, f"{number}")
        desk.provider.advance(hours=24)
    await desk.texts().round(desk.gate)
    assert desk.said == [str(number) for number in range(30)]
    [counted] = [each for each in desk.gate.inventories if each.keys][-1:]
    assert (
        len(counted.keys or ()) <= 4
    )  # the last days only: a count of everything would take longer each day


async def test_a_twilio_that_looks_at_nothing_but_the_day_hides_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its documents speak of days and of their midnight: "on or before midnight of this date"."""

    def midnight(_: str, value: str) -> tuple[datetime, datetime]:
        day = datetime.fromisoformat(value[:10]).replace(tzinfo=UTC)
        return day, day

    monkeypatch.setattr(paging, "_span", midnight)
    for number in range(60):
        desk.provider.receive(JAN, OWN, f"{number}")
        desk.recorded(desk.called())
        desk.provider.advance(hours=3.7)
    await desk.round()
    assert desk.said == [str(number) for number in range(60)]
    assert sorted(desk.taken) == sorted(desk.expected())


# -- the cursor -------------------------------------------------------------------------------------------------------


async def test_a_cursor_that_cannot_be_read_is_told_and_the_last_days_are_compared(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.provider.advance(hours=24 * 10)
    desk.provider.receive(JAN, OWN, "Hello")
    desk.gate._cursors["texts"] = b"\xff"
    desk.provider.advance(60)
    await desk.texts().round(desk.gate)
    assert desk.said == ["Hello"]
    assert "twilio_cursor_unreadable" in caplog.text


def test_a_cursor_reads_as_it_was_written() -> None:
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    written = position.Position(since=at, read={OWN: at}, swept=at)
    assert position.decode(position.encode(written)) == written


# -- troubles ---------------------------------------------------------------------------------------------------------


async def test_a_wrong_token_is_told_once_with_what_is_wrong_and_tried_more_and_more_slowly(
    provider: Provider, api_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(provider, api_url, auth_token="not-the-token")
    reconciler = desk.texts()
    waits = [await reconciler.attempt(desk.gate) for _ in range(6)]
    await desk.api.close()
    assert waits == [60, 120, 240, 480, 900, 900]
    [said] = reconciler.troubles()
    assert "account_sid and auth_token do not belong together" in said
    assert "not-the-token" not in said + caplog.text
    assert caplog.text.count("twilio_not_compared") == 1


async def test_too_many_requests_are_made_more_slowly_and_network_trouble_is_over_when_it_is(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    reconciler = desk.texts()
    desk.provider.refuse(20429)
    assert [await reconciler.attempt(desk.gate) for _ in range(2)] == [30, 60]
    assert "too many requests" in reconciler.troubles()[0]
    desk.provider.refusal, desk.provider.is_down = None, True
    assert await reconciler.attempt(desk.gate) == 5
    desk.provider.is_down = False
    desk.provider.receive(JAN, OWN, "Hello")
    desk.provider.advance(60)
    assert 270 <= await reconciler.attempt(desk.gate) <= 330
    assert reconciler.troubles() == []
    assert desk.said == ["Hello"]
    assert caplog.text.count("twilio_not_compared") == 2
    assert caplog.text.count("twilio_compared_again") == 1


@pytest.mark.parametrize("fault", ["unavailable", "full", "crash"])
async def test_a_store_that_is_down_loses_nothing(desk: Desk, fault: testing.Fault) -> None:
    desk.provider.receive(JAN, OWN, "Hello")
    desk.provider.advance(60)
    before = desk.gate._cursors["texts"]
    reconciler = desk.texts()
    desk.gate.fault = fault
    await reconciler.attempt(desk.gate)
    assert reconciler.troubles()
    assert desk.gate._cursors["texts"] == before
    desk.gate.fault = None
    await reconciler.attempt(desk.gate)
    assert desk.said == ["Hello"]


async def test_an_answer_that_is_no_list_is_not_taken_for_an_empty_one(desk: Desk) -> None:
    """A page without rows would count as "nothing is there", and the cursor would move."""
    from aiohttp import web

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"hello": []})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    odd = Desk(desk.provider, f"http://127.0.0.1:{runner.addresses[0][1]}", desk.gate)
    before = dict(desk.gate._cursors)
    reconciler = odd.texts()
    await reconciler.attempt(desk.gate)
    await odd.api.close()
    await runner.cleanup()
    assert reconciler.troubles() == ["Twilio's list has no messages"]
    assert desk.gate._cursors == before


async def test_it_goes_on_looking_until_it_is_cancelled(desk: Desk) -> None:
    waits: list[float] = []
    enough = asyncio.Event()

    async def pause(seconds: float) -> None:
        waits.append(seconds)
        desk.provider.receive(JAN, OWN, f"{len(waits)}")
        desk.provider.advance(60)
        if len(waits) == 3:
            enough.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(desk.texts(pause=pause).run(desk.gate))
    await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert desk.said == ["1", "2"]
    assert all(270 <= wait <= 330 for wait in waits)


async def test_an_account_that_does_not_want_it_asks_nothing(provider: Provider, api_url: str) -> None:
    for more in ({"reconcile_s": 0}, {"numbers": ()}):
        desk = Desk(provider, api_url, **more)
        await desk.texts().run(desk.gate)
    assert provider.asked == []


async def test_nothing_secret_and_nothing_a_customer_wrote_is_logged(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="channels.twilio")
    desk.provider.receive(JAN, OWN, "my password is hunter2")
    await ended(desk)
    assert desk.said
    assert "hunter2" not in caplog.text
    assert desk.provider.token not in caplog.text
