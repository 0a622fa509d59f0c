"""What the reconciler says when it cannot look, and how it goes on."""

import asyncio

import pytest

from channels import testing
from channels.twilio.simulator.provider import Provider
from tests.phone.outage import JAN, OWN, Desk, desk, ended

__all__ = ["desk"]

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
    before = desk.gate._cursors[f"texts/{OWN}"]
    reconciler = desk.texts()
    desk.gate.fault = fault
    await reconciler.attempt(desk.gate)
    assert reconciler.troubles()
    assert desk.gate._cursors[f"texts/{OWN}"] == before
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
