"""The REST client: where it asks, what it says of failures, and that it never waits for ever."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from channels.twilio import settings
from channels.twilio.api import Api, ApiError, rewritten

SID = "AC" + "0" * 32
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Ask = Callable[..., Awaitable[Api]]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """An Api against a server that answers every request with one function."""
    closing: list[Callable[[], Awaitable[None]]] = []

    async def build(handler: Handler, *, timeout_s: float = 5) -> Api:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        url = f"http://127.0.0.1:{port}"
        api = Api(
            settings.Options(account_sid=SID, auth_token="secret-token", api_url=url, timeout_s=timeout_s)
        )
        closing.extend((api.close, runner.cleanup))
        return api

    yield build
    for close in closing:
        await close()


async def _send(api: Api) -> str:
    sent = await api.call(
        lambda twilio: twilio.messages.create_async(
            to="+48600100200", from_="+48221234567", body="Zażółć & co", media_url=["https://a", "https://b"]
        )
    )
    return str(sent.sid)


async def test_a_request_reaches_the_configured_address_as_a_form_with_basic_auth(ask: Ask) -> None:
    seen: list[tuple[str, str, list[tuple[str, str]]]] = []

    async def answer(request: web.Request) -> web.Response:
        form = await request.post()
        pairs = [(name, str(value)) for name, value in form.items()]
        seen.append((request.path, request.headers["Authorization"], pairs))
        return web.json_response({"sid": "SM" + "1" * 32}, status=201)

    assert await _send(await ask(answer)) == "SM" + "1" * 32
    path, authorization, pairs = seen[0]
    assert path == f"/2010-04-01/Accounts/{SID}/Messages.json"
    assert authorization.startswith("Basic ")
    assert ("Body", "Zażółć & co") in pairs
    assert [value for name, value in pairs if name == "MediaUrl"] == ["https://a", "https://b"]


async def test_a_refusal_has_status_code_and_words(ask: Ask) -> None:
    async def answer(request: web.Request) -> web.Response:
        body = {"code": 21610, "message": "unsubscribed recipient", "status": 400}
        return web.json_response(body, status=400)

    with pytest.raises(ApiError) as refused:
        await _send(await ask(answer))
    assert (refused.value.status, refused.value.code, refused.value.is_unknown) == (400, 21610, False)
    assert "unsubscribed recipient" in refused.value.message


async def test_a_problem_document_is_the_same_kind_of_refusal(ask: Ask) -> None:
    async def answer(request: web.Request) -> web.Response:
        body = {"type": "https://x", "title": "Bad", "status": 400, "code": 20001, "detail": "no such thing"}
        return web.json_response(body, status=400)

    with pytest.raises(ApiError) as refused:
        await _send(await ask(answer))
    assert (refused.value.status, refused.value.code) == (400, 20001)
    assert refused.value.message == "no such thing"


@pytest.mark.parametrize(("status", "is_unknown"), [(500, True), (503, True), (429, False), (404, False)])
async def test_only_a_fault_of_theirs_leaves_open_whether_it_was_done(
    ask: Ask, *, status: int, is_unknown: bool
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>")

    with pytest.raises(ApiError) as failed:
        await _send(await ask(answer))
    assert (failed.value.status, failed.value.code, failed.value.is_unknown) == (status, 0, is_unknown)
    assert failed.value.is_transient == (status != 404)


async def test_no_answer_in_time_is_an_unknown_outcome(ask: Ask) -> None:
    waiting = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        await waiting.wait()
        return web.Response()

    api = await ask(answer, timeout_s=0.2)
    await api.client()
    with pytest.raises(ApiError, match="in time") as failed:
        await _send(api)
    waiting.set()
    assert failed.value.is_unknown
    assert failed.value.status == 0


async def test_a_connection_that_breaks_off_is_an_unknown_outcome(ask: Ask) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    with pytest.raises(ApiError, match="broke") as failed:
        await _send(await ask(answer))
    assert failed.value.is_unknown


async def test_an_address_where_nobody_listens_means_that_nothing_was_done() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    options = settings.Options(account_sid=SID, auth_token="t", api_url=f"http://127.0.0.1:{port}")
    api = Api(options)
    with pytest.raises(ApiError, match="cannot be reached") as failed:
        await _send(api)
    await api.close()
    assert not failed.value.is_unknown
    assert failed.value.is_transient


async def test_an_answer_that_is_no_json_is_an_unknown_outcome(ask: Ask) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=201, text="hello")

    with pytest.raises(ApiError) as failed:
        await _send(await ask(answer))
    assert failed.value.is_unknown


async def test_without_a_token_nobody_is_asked() -> None:
    api = Api(settings.Options(account_sid=SID))
    with pytest.raises(ApiError, match="no auth_token"):
        await _send(api)


async def test_a_list_is_read_page_by_page_from_the_configured_address(ask: Ask) -> None:
    async def answer(request: web.Request) -> web.Response:
        page = int(request.query.get("Page", "0"))
        following = f"/2010-04-01/Accounts/{SID}/Messages.json?Page=1&PageSize=1" if page == 0 else None
        return web.json_response({"messages": [{"sid": f"SM{page}"}], "next_page_uri": following})

    api = await ask(answer)
    found = await api.call(lambda twilio: twilio.messages.list_async(to="+48600100200", page_size=1))
    assert [each.sid for each in found] == ["SM0", "SM1"]


def test_every_host_of_twilio_is_the_configured_address() -> None:
    local = "http://127.0.0.1:9/t"
    assert rewritten("https://content.twilio.com/v1/Content?a=1", api_url=local) == f"{local}/v1/Content?a=1"
    assert rewritten("https://nottwilio.com/x", api_url=local) == "https://nottwilio.com/x"
    real = "https://messaging.twilio.com/v1/Services"
    assert rewritten(real, api_url="https://api.twilio.com") == real


def test_a_region_of_twilios_has_each_of_its_hosts() -> None:
    """Source: twilio.com/docs/global-infrastructure/messaging-api-with-twilio-regions (checked 2026-11)."""
    region = "https://api.dublin.ie1.twilio.com"
    assert rewritten("https://api.twilio.com/2010-04-01/x", api_url=region) == f"{region}/2010-04-01/x"
    assert (
        rewritten("https://messaging.twilio.com/v1/Services?a=1", api_url=region)
        == "https://messaging.dublin.ie1.twilio.com/v1/Services?a=1"
    )
