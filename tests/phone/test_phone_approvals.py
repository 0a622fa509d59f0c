"""The templates that intake.yaml names, held against those at Twilio."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import test_utils, web

from channels.contract import Problem
from channels.twilio import approvals, settings, whatsapp
from channels.twilio.api import Api
from channels.twilio.simulator.provider import Provider
from channels.twilio.templates import Template

ITO = Template(
    name="still_there",
    language="en",
    sid="HX" + "1" * 32,
    text="Hello {{1}}, are you still there?",
    variables=("their name",),
)
GOOD = {"language": "en", "types": {"twilio/text": {"body": "Hello {{ 1 }},\nare you still there?"}}}
YES = {"whatsapp": {"status": "approved"}}
Compare = Callable[[Any, Any], Awaitable[list[Problem]]]


@pytest.fixture
async def compare() -> AsyncIterator[Compare]:
    """Compare ITO with a content and an approval; an int is the status of a refusal."""
    told: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        found = told[request.path.endswith("/ApprovalRequests")]
        return (
            web.json_response({"code": 0}, status=found)
            if isinstance(found, int)
            else web.json_response(found)
        )

    app = web.Application()
    app.router.add_get("/v1/Content/{rest:.*}", answer)
    async with test_utils.TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        api = Api(settings.Options(account_sid="AC" + "0" * 32, auth_token="t", api_url=url))

        async def problems(content: Any, approval: Any) -> list[Problem]:
            told[:] = [content, approval]
            return await approvals.problems(api, (ITO, ITO))

        yield problems
        await api.close()


async def test_what_differs_from_what_twilio_has_is_said(compare: Compare) -> None:
    rows: list[tuple[Any, Any, str]] = [
        (GOOD, YES, ""),
        (GOOD | {"types": {"twilio/card": {"title": "x"}}}, YES, ""),
        (GOOD | {"language": "en_US", "types": {"a": {"body": "x"}, "b": {"body": ITO.text}}}, YES, ""),
        (
            GOOD | {"types": {"twilio/text": {"body": "Hello {{1}}!"}}},
            YES,
            'reads otherwise at Twilio: "Hello {{1}}!"',
        ),
        (GOOD | {"language": "de"}, YES, "is in 'de' at Twilio"),
        (
            GOOD,
            {"whatsapp": {"status": "rejected", "rejection_reason": "spam"}},
            "by WhatsApp (rejected, spam)",
        ),
        (GOOD, {"whatsapp": None}, "by WhatsApp (never submitted)"),
        (404, YES, f"is not there at Twilio: {ITO.sid}"),
        ({"types": [1], "language": None}, {}, "by WhatsApp (never submitted)"),
    ]
    for content, approval, words in rows:
        found = await compare(content, approval)
        assert len(found) == (2 if words else 0), (content, approval, found)
        assert all(
            words in each.message and each.message.startswith("template 'still_there'") for each in found
        )


async def test_while_twilio_does_not_answer_it_is_said_once(compare: Compare) -> None:
    for content, approval in ((500, YES), (GOOD, 503), (401, YES)):
        (found,) = await compare(content, approval)
        assert (found.severity, found.message[:34]) == ("warning", "the templates cannot be compared: ")


async def test_the_doctor_hears_of_a_template_that_is_not_there(provider: Provider, api_url: str) -> None:
    options = whatsapp.Options(
        account_sid=provider.account, auth_token=provider.token, api_url=api_url, templates=(ITO,)
    )
    channel = whatsapp.Channel("chats", options)
    asked = [each.message for each in await channel.probe() if "still_there" in each.message]
    provider.templates.add(ITO.sid)
    again = [each.message for each in await channel.probe() if "still_there" in each.message]
    await channel.close()
    assert (asked, again) == ([f"template 'still_there' (en) is not there at Twilio: {ITO.sid}"], [])
