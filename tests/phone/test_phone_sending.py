"""Delivering: what is asked of Twilio, what its refusals mean, and what is found again before it is sent again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from channels import contract
from channels.contract import Address, DeliveryFailed, OutboundMessage
from channels.twilio import codes, pacing, send, settings
from channels.twilio.simulator.provider import Provider
from tests.rows import every_row

OWN = "+48221234567"
JAN = "+48600100200"
AT = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
TEMPLATE = "HX" + "1" * 32


def message(**changes: Any) -> OutboundMessage:
    plain = OutboundMessage(
        id="7",
        account="texts",
        to=(Address(JAN),),
        from_=Address(OWN),
        subject="",
        text="We are on it.",
        message_id="x@y",
        created_at=AT,
        reference="7.abc",
    )
    return msgspec.structs.replace(plain, **changes)


def options(provider: Provider, api_url: str, **changes: Any) -> settings.Options:
    return settings.Options(
        **{
            "account_sid": provider.account,
            "auth_token": provider.token,
            "numbers": (OWN,),
            "public_url": "https://help.example.com",
            "api_url": api_url,
        }
        | changes
    )


@pytest.fixture
async def sender(provider: Provider, api_url: str) -> AsyncIterator[send.Sender]:
    made = send.Sender("texts", options(provider, api_url), clock=lambda: provider.at.timestamp())  # noqa: PLW0108 - it is moved
    yield made
    await made.close()


@pytest.fixture
async def whatsapp(provider: Provider, api_url: str) -> AsyncIterator[send.Sender]:
    made = send.Sender(
        "whatsapp",
        options(provider, api_url),
        prefix=send.WHATSAPP,
        clock=lambda: provider.at.timestamp(),  # noqa: PLW0108 - it is moved
    )
    yield made
    await made.close()


async def test_a_text_leaves_from_its_own_number_with_a_callback_that_names_it(
    sender: send.Sender, provider: Provider
) -> None:
    delivered = await sender.deliver(message())
    (sent,) = provider.sent
    assert delivered == contract.Delivered(sent.sid)
    assert (sent.from_, sent.to, sent.body) == (OWN, JAN, "We are on it.")
    assert sent.status_callback == "https://help.example.com/hooks/texts/status?o=7.abc"


async def test_files_go_along_as_urls(sender: send.Sender, provider: Provider) -> None:
    urls = ["https://help.example.com/files/1", "https://help.example.com/files/2"]
    await sender.deliver(message(extra={"media": urls}))
    assert provider.sent[0].media_urls == tuple(urls)


async def test_without_a_public_url_no_callback_is_asked_for(provider: Provider, api_url: str) -> None:
    sender = send.Sender("texts", options(provider, api_url, public_url=""))
    await sender.deliver(message())
    await sender.close()
    assert provider.sent[0].status_callback == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"to": (Address("48600100200"),)}, "not a number"),
        ({"to": (Address("SHOP"),)}, "not a number"),
        ({"to": (Address("12345"),)}, "not a number"),
        ({"text": "a" * 1_601}, "longer than 1600"),
        ({"text": "  \n"}, "nothing in it"),
        ({"extra": {"media": ["https://a.example.com/1"] * 11}}, "more than 10"),
    ],
)
async def test_what_cannot_arrive_is_not_even_asked_of_twilio(
    sender: send.Sender, provider: Provider, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(DeliveryFailed, match=words) as failed:
        await sender.deliver(message(**changes))
    assert not failed.value.retryable
    assert provider.asked == []


@pytest.mark.parametrize(
    ("sort", "code", "problem"), [("not_mobile", 21614, "not_textable"), ("no_region", 21408, "")]
)
async def test_a_refusal_is_told_in_words_and_only_the_guilty_address_is_marked(
    sender: send.Sender, provider: Provider, sort: Any, code: int, problem: str
) -> None:
    provider.sorts[JAN] = sort
    with pytest.raises(DeliveryFailed) as failed:
        await sender.deliver(message())
    assert failed.value.reason == codes.sentence(code)
    assert (failed.value.retryable, failed.value.address_problem) == (False, problem)


async def test_who_said_stop_to_twilio_is_opted_out_and_never_tried_again(
    sender: send.Sender, provider: Provider
) -> None:
    provider.opted_out.add((OWN, JAN))
    with pytest.raises(DeliveryFailed, match="STOP") as failed:
        await sender.deliver(message())
    assert (failed.value.retryable, failed.value.unknown) == (False, False)
    assert failed.value.address_problem == "opted_out"


@pytest.mark.parametrize(
    ("code", "retryable", "unknown"),
    [
        (20429, True, False),
        (20500, True, True),
        (20503, True, True),
        (20003, True, False),
        (21617, False, False),
    ],
)
async def test_what_may_go_well_later_is_tried_again(
    sender: send.Sender, provider: Provider, code: int, *, retryable: bool, unknown: bool
) -> None:
    provider.refuse(code)
    with pytest.raises(DeliveryFailed) as failed:
        await sender.deliver(message())
    assert (failed.value.retryable, failed.value.unknown) == (retryable, unknown)


async def test_a_message_that_was_sent_is_found_again_by_who_what_and_when(
    sender: send.Sender, provider: Provider
) -> None:
    await sender.deliver(message(text="Something else"))
    await sender.deliver(message(to=(Address("+48600100999"),)))
    first = await sender.deliver(message())
    second = await sender.deliver(message())
    assert await sender.sent_before(message()) == (first.provider_id, second.provider_id)


async def test_what_was_sent_before_it_was_decided_is_another_message(
    sender: send.Sender, provider: Provider
) -> None:
    await sender.deliver(message())
    provider.advance(hours=1)
    assert await sender.sent_before(message(created_at=provider.at)) == ()


async def test_what_a_clock_that_goes_behind_ours_says_was_before_is_found(
    sender: send.Sender, provider: Provider
) -> None:
    sent = await sender.deliver(message())
    provider.advance(180)
    assert await sender.sent_before(message(created_at=provider.at)) == (sent.provider_id,)


async def test_what_the_customer_wrote_is_never_taken_for_ours(
    sender: send.Sender, provider: Provider
) -> None:
    provider.receive(JAN, OWN, "We are on it.")
    provider.receive(OWN, JAN, "We are on it.")
    assert await sender.sent_before(message()) == ()


async def test_when_twilio_cannot_be_asked_nothing_is_known_and_nothing_is_sent(
    sender: send.Sender, provider: Provider
) -> None:
    provider.is_down = True
    with pytest.raises(DeliveryFailed, match="may have been sent") as failed:
        await sender.sent_before(message())
    assert (failed.value.retryable, failed.value.unknown) == (True, True)


def _window(ends_at: datetime) -> OutboundMessage:
    return message(extra={"window_ends_at": ends_at.isoformat()})


@pytest.mark.parametrize(("after_s", "is_sent"), [(86_399, True), (86_400, False), (86_401, False)])
async def test_free_text_on_whatsapp_leaves_within_24_hours_and_not_after(
    whatsapp: send.Sender, provider: Provider, *, after_s: int, is_sent: bool
) -> None:
    provider.receive(f"whatsapp:{JAN}", f"whatsapp:{OWN}", "Hi")
    ends_at = provider.at + timedelta(hours=24)
    provider.advance(after_s)
    if is_sent:
        await whatsapp.deliver(_window(ends_at))
        assert provider.sent[0].final == "delivered"
        return
    with pytest.raises(DeliveryFailed, match="24 hours") as failed:
        await whatsapp.deliver(_window(ends_at))
    assert not failed.value.retryable
    assert provider.asked == []


async def test_free_text_to_somebody_who_never_wrote_on_whatsapp_is_not_asked_of_twilio(
    whatsapp: send.Sender, provider: Provider
) -> None:
    with pytest.raises(DeliveryFailed, match="template"):
        await whatsapp.deliver(message())
    assert provider.asked == []


async def test_a_template_leaves_at_any_time_with_its_variables(
    whatsapp: send.Sender, provider: Provider
) -> None:
    provider.templates.add(TEMPLATE)
    extra = {"template": {"sid": TEMPLATE, "variables": {"1": "Ms Ito"}}}
    await whatsapp.deliver(message(text="Hello Ms Ito", extra=extra))
    (sent,) = provider.sent
    assert (sent.from_, sent.to) == (f"whatsapp:{OWN}", f"whatsapp:{JAN}")
    assert (sent.content_sid, sent.content_variables) == (TEMPLATE, '{"1":"Ms Ito"}')
    assert sent.body == ""
    assert sent.final == "delivered"


async def test_a_template_that_was_sent_is_found_again_whatever_its_words(
    whatsapp: send.Sender, provider: Provider
) -> None:
    provider.templates.add(TEMPLATE)
    extra = {"template": {"sid": TEMPLATE, "variables": {}}}
    first = await whatsapp.deliver(message(extra=extra))
    provider.texts[first.provider_id].body = "as approved"
    assert await whatsapp.sent_before(message(extra=extra)) == (first.provider_id,)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_number_sends_at_its_rate_and_keeps_the_order_of_turns() -> None:
    clock = Clock()
    pace = pacing.Pacing(rate=2, clock=clock)
    waits = [pace.wait_s(str(name), number=OWN, weight=1) for name in range(4)]
    assert waits == [0, 0.5, 1.0, 1.5]
    clock.now += 1.0
    assert [pace.wait_s(str(name), number=OWN, weight=1) for name in (1, 2, 3)] == [0, 0, 0.5]
    assert pace.wait_s("late", number=OWN, weight=1) == 1.0


def test_segments_count_and_numbers_do_not_wait_for_each_other() -> None:
    pace = pacing.Pacing(rate=1, clock=Clock())
    assert pace.wait_s("long", number=OWN, weight=3) == 0
    assert pace.wait_s("next", number=OWN, weight=1) == 3
    assert pace.wait_s("other", number="+48221234568", weight=1) == 0


@every_row(
    ("number", "rate"),
    [("+12025550100", 1), ("+18005550100", 3), ("+48221234567", 10), ("12345", 100), ("+447700900123", 10)],
)
def test_rates_by_kind_of_number(number: str, rate: float) -> None:
    assert pacing.per_second(number) == rate


def test_an_account_may_say_another_rate(provider: Provider) -> None:
    sender = send.Sender(
        "texts", options(provider, "http://127.0.0.1:9"), sending=send.Sending(messages_per_second=0.001)
    )
    assert sender.wait_s(message(id="1")) == 0
    assert sender.wait_s(message(id="2")) > 900


def test_every_code_says_what_happened_and_what_to_do() -> None:
    for code, known in codes.TABLE.items():
        assert known.says.endswith("."), code
        assert known.todo.endswith("."), code
        assert known.address in ("", *contract.ADDRESS_PROBLEMS), code
        assert str(code) in codes.sentence(code)


def test_an_unknown_code_is_told_in_general_words_with_what_twilio_says() -> None:
    said = codes.sentence(39_999, said="carrier said no")
    assert "did not arrive" in said
    assert "carrier said no" in said
    assert "39999" in said


async def test_no_error_and_no_repr_shows_the_token(sender: send.Sender, provider: Provider) -> None:
    provider.refuse(20003)
    with pytest.raises(DeliveryFailed) as failed:
        await sender.deliver(message())
    assert provider.token not in f"{failed.value!r}{failed.value.__cause__!r}{sender!r}"
