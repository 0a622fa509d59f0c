"""What no webhook brought is brought by the reconciler, and reads as its webhook would have."""

import random
from datetime import UTC, datetime

import pytest

from channels import contract, testing
from channels.twilio import probe, reconcile, setup, sms, status, voice, webhook, whatsapp
from channels.twilio.phone import moment
from channels.twilio.reconcile_messages import Messages
from channels.twilio.simulator.provider import Provider
from intake import call_timeline
from tests.phone.outage import JAN, MARIA, OTHER, OWN, Desk, Killed, Mortal, desk, ended, form

__all__ = ["desk"]

SID = "AC" + "0" * 32

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


async def test_a_message_that_twilio_is_still_receiving_is_waited_for(desk: Desk) -> None:
    coming = desk.provider.receive(JAN, OWN, "with a picture")
    stuck = desk.provider.receive(MARIA, OWN, "for ever")
    coming.status = stuck.status = "receiving"
    desk.provider.advance(120)
    await desk.round()
    assert desk.said == []
    coming.status = "received"
    await desk.round()
    assert desk.said == ["with a picture"]
    desk.provider.advance(600)
    await desk.round()
    assert desk.said == ["with a picture", "for ever"]


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
        await desk.texts().round(Mortal(desk.gate, 3, is_done=False))
    provider.receive(JAN, OWN, "new")
    await ended(desk)
    await desk.api.close()
    assert desk.said == ["new"]


@pytest.mark.slow
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


@pytest.mark.slow
async def test_a_price_that_comes_days_later_is_found_by_the_daily_sweep(desk: Desk) -> None:
    call = desk.called(60)
    for hours in range(72):
        await desk.round()
        desk.provider.advance(hours=1)
        if hours == 44:
            call.price = "-0.0085"
    assert timeline(desk).price == "-0.0085 USD"
    assert len(desk.gate.stored) == 2


@pytest.mark.slow
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
