"""Several numbers, several daemons, a Twilio that fails now and then: nobody waits for somebody else's trouble."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from channels.twilio import api as twilio_api
from channels.twilio.simulator.provider import Provider
from tests.phone.outage import JAN, MARIA, OTHER, OWN, Desk, Killed, Mortal, desk, ended, form

__all__ = ["desk"]
THIRD = "+48221234500"


def renumbered(desk: Desk, *numbers: str, **more: Any) -> Desk:
    """The same account with other numbers, on the same gate."""
    return Desk(desk.provider, desk.options.api_url, desk.gate, numbers=numbers, **more)


# -- numbers that come and go -----------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_number_that_is_added_later_begins_when_it_is_added(desk: Desk) -> None:
    """What another program of the company got on it before is nobody's ticket here."""
    desk.provider.receive(JAN, OTHER, "to whoever had the number")
    desk.called(to=OTHER)
    desk.provider.advance(hours=24 * 90)
    both = renumbered(desk, OWN, OTHER)
    await both.round()
    desk.provider.receive(JAN, OTHER, "to us")
    await ended(both)
    await both.api.close()
    assert desk.said == ["to us"]
    assert len(desk.gate.stored) == 1


async def test_a_number_that_was_away_from_the_settings_is_made_up_for(desk: Desk) -> None:
    both = renumbered(desk, OWN, OTHER)
    await both.round()
    desk.provider.receive(JAN, OTHER, "while it was away")
    await ended(desk)
    assert desk.said == []
    await ended(both)
    await both.api.close()
    assert desk.said == ["while it was away"]


async def test_another_daemon_with_older_settings_takes_nothing_out_of_the_cursor(desk: Desk) -> None:
    """It read the cursor before the new number began, and writes its own after."""
    both = renumbered(desk, OWN, OTHER)

    class Overtaken:
        """The old daemon's gate; the new one looks while the old one is counting."""

        def __getattr__(self, name: str) -> Any:
            return getattr(desk.gate, name)

        async def known(self, keys: Any) -> frozenset[str]:
            await both.texts().round(desk.gate)
            return await desk.gate.known(keys)

    desk.provider.receive(JAN, OWN, "one")
    desk.provider.advance(60)
    await desk.texts().round(Overtaken())
    desk.provider.receive(JAN, OTHER, "other")
    await ended(both)
    await both.api.close()
    assert desk.said == ["one", "other"]


async def test_what_we_sent_before_a_long_absence_is_looked_up(desk: Desk) -> None:
    sent = desk.reported("delivered")
    agent, customer = desk.called(90), desk.called(60)
    agent.direction, agent.from_, agent.to = "outbound-api", OWN, "+48600000001"
    customer.direction, customer.from_, customer.to, customer.parent = "outbound-dial", OWN, JAN, agent.sid
    requested = desk.status_of(agent)
    key = requested.keys[0].replace("call/status", "out/status")
    await desk.gate.submit(type(requested)(**{**_fields(requested), "keys": (key,)}))
    desk.gate.stored.clear()
    desk.provider.advance(hours=24 * 6)
    await desk.round()
    assert set(desk.taken) == {
        desk.callback(sent).keys[0],
        f"twilio:{desk.provider.account}:{customer.sid}:out/leg:completed",
    }


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


@pytest.mark.slow
async def test_what_others_sent_before_the_first_start_is_not_reported(
    provider: Provider, api_url: str
) -> None:
    """`start: all` takes what customers wrote; what became of another program's texts is nobody's business."""
    desk = Desk(provider, api_url, start="all")
    provider.receive(JAN, OWN, "old")
    desk.reported("delivered")
    provider.advance(hours=24 * 9)
    desk.reported("delivered")
    provider.advance(hours=2)
    for _ in range(2):
        await desk.texts().round(desk.gate)
        provider.advance(hours=1)
    assert [raw.envelope["path"] for raw in desk.gate.stored] == ["message"]
    desk.reported("delivered")
    await ended(desk)
    await desk.api.close()
    assert [raw.envelope["path"] for raw in desk.gate.stored] == ["message", "status"]


async def test_what_we_sent_before_the_first_look_came_to_its_end_is_looked_up(
    provider: Provider, api_url: str
) -> None:
    """Killed in between, it looks again; what went out meanwhile is ours."""
    desk = Desk(provider, api_url)
    with pytest.raises(Killed):
        await desk.texts().round(Mortal(desk.gate, 3, is_done=False))
    desk.reported("delivered")
    await ended(desk)
    await desk.api.close()
    assert [raw.envelope["path"] for raw in desk.gate.stored] == ["status"]


# -- a Twilio that fails now and then ---------------------------------------------------------------------------------


class Flaky:
    """Stands before Twilio and fails as it is told."""

    def __init__(self, provider_url: str) -> None:
        self.provider_url, self.url = provider_url, ""
        self.fails: Any = lambda number, request: 0
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        import aiohttp

        self.asked += 1
        status = self.fails(self.asked, request)
        if status:
            return web.json_response(
                {"code": 20000 + status, "message": "Oh no", "status": status}, status=status
            )
        headers = {name: request.headers[name] for name in ("Authorization",) if name in request.headers}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.provider_url}{request.rel_url.raw_path_qs}", headers=headers) as answer,
        ):
            return web.Response(
                body=await answer.read(), status=answer.status, content_type=answer.content_type,
                headers={"Date": answer.headers["Date"]},
            )  # fmt: skip


@pytest.fixture
async def flaky(api_url: str) -> AsyncIterator[Flaky]:
    flaky = Flaky(api_url)
    app = web.Application()
    app.router.add_get("/{path:.*}", flaky.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    flaky.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield flaky
    await runner.cleanup()


@pytest.fixture
async def shaken(provider: Provider, flaky: Flaky) -> AsyncIterator[Desk]:
    """A desk with three numbers whose Twilio is not always there."""
    desk = Desk(provider, flaky.url, numbers=(OWN, OTHER, THIRD))
    await desk.round()
    provider.advance(60)
    yield desk
    await desk.api.close()


async def test_a_request_that_fails_now_and_then_is_made_again(shaken: Desk, flaky: Flaky) -> None:
    """One in three: no round of many requests would ever come to its end."""
    shaken.half_an_hour(60)
    shaken.provider.advance(900)
    flaky.fails = lambda number, _: 503 if number % 3 == 0 else 0
    assert await shaken.texts().attempt(shaken.gate) > 200
    assert await shaken.phone().attempt(shaken.gate) > 200
    assert set(shaken.taken) == shaken.expected()


async def test_too_many_requests_half_way_begin_again_with_the_number_that_waits(
    shaken: Desk, flaky: Flaky
) -> None:
    """Every round gets six requests: each of three numbers has its turn all the same."""
    for number in (OWN, OTHER, THIRD):
        shaken.provider.receive(JAN, number, number)
    shaken.provider.advance(60)
    reconciler = shaken.texts()
    for _ in range(3):
        flaky.asked = 0
        flaky.fails = lambda number, _: 429 if number > 4 else 0
        await reconciler.attempt(shaken.gate)
    assert sorted(shaken.said) == sorted((OWN, OTHER, THIRD))
    assert len(shaken.taken) == 3


async def test_a_number_at_which_twilio_fails_is_in_nobodys_way(shaken: Desk, flaky: Flaky) -> None:
    for number in (OWN, OTHER, THIRD):
        shaken.provider.receive(JAN, number, number)
    shaken.provider.advance(60)
    flaky.fails = lambda _, request: 500 if request.query.get("To") == OTHER else 0
    reconciler = shaken.texts()
    assert await reconciler.attempt(shaken.gate) == 5
    assert shaken.said == [OWN, THIRD]
    assert reconciler.troubles() != []
    flaky.fails = lambda *_: 0
    await reconciler.attempt(shaken.gate)
    assert shaken.said == [OWN, THIRD, OTHER]


async def test_files_that_twilio_never_lists_keep_their_customer_for_five_tries_and_nobody_else(
    shaken: Desk, flaky: Flaky
) -> None:
    shaken.provider.receive(JAN, OWN, "with a picture", media=(shaken.provider.media(b"one"),))
    shaken.provider.receive(JAN, OWN, "second")
    for number in range(20):
        shaken.provider.receive(f"{MARIA[:-2]}{number + 50}", OWN, f"{number}")
    shaken.provider.advance(60)
    flaky.fails = lambda _, request: 500 if "/Media" in request.path else 0
    reconciler = shaken.texts()
    await reconciler.attempt(shaken.gate)
    assert len(shaken.said) == 20
    for _ in range(3):
        await reconciler.attempt(shaken.gate)
    assert len(shaken.said) == 20
    await reconciler.attempt(shaken.gate)
    assert shaken.said[20:] == ["with a picture", "second"]
    assert reconciler.troubles() == []
    [raw] = [raw for raw in shaken.gate.stored if form(raw)["Body"] == "with a picture"]
    assert "1 files cannot be listed" in raw.envelope["problems"][0]


@pytest.mark.slow
async def test_a_page_that_is_too_long_is_asked_for_in_smaller_ones(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand WhatsApp messages of 4 096 characters are more than we read at once."""
    for number in range(60):
        desk.provider.receive(JAN, OWN, f"{number} " + "ż" * 1_500)
    desk.provider.advance(60)
    monkeypatch.setattr(twilio_api, "ANSWER_MAX_BYTES", 60_000)
    reconciler = desk.texts()
    await reconciler.attempt(desk.gate)
    assert reconciler.troubles() == []
    assert [said.split()[0] for said in desk.said] == [str(number) for number in range(60)]


async def test_several_daemons_that_look_at_once_bring_each_thing_once(desk: Desk) -> None:
    desk.half_an_hour(200)
    desk.provider.advance(900)
    await asyncio.gather(*(desk.round() for _ in range(4)))
    assert sorted(desk.taken) == sorted(desk.expected())
