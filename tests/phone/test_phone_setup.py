"""`intake twilio setup` and the doctor: what a number's settings should be, what differs, and what mends it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from channels import hooks, testing
from channels.twilio import probe, settings, setup, sms
from channels.twilio.api import Api
from channels.twilio.simulator.provider import Provider
from tests.phone import media_play
from tests.rows import every_row
from tests.webhook import amazon_play

OWN = "+48221234567"
PUBLIC = "https://help.example.com"
TWILIO = settings.API_URL
SID = "AC" + "0" * 32


def options(**more: Any) -> sms.Options:
    given = {
        "account_sid": SID,
        "auth_token": "secret-token",
        "numbers": (OWN,),
        "public_url": PUBLIC,
        **more,
    }
    return sms.Options(**given)


# -- pure -------------------------------------------------------------------------------------------------------------


def test_a_number_that_texts_is_told_its_webhook_with_retries() -> None:
    assert setup.wanted(options(), "texts", "sms") == {
        "sms_url": f"{PUBLIC}/hooks/texts/message#ct=2000&rt=4000&rc=5&rp=5xx,ct,rt",
        "sms_method": "POST",
        "sms_application_sid": "",
    }


def test_a_number_that_is_called_is_told_its_webhook_and_where_a_call_ends() -> None:
    found = setup.wanted(options(fallback_url="https://elsewhere.example.net/fb"), "phone", "voice")
    assert found["voice_url"].startswith(f"{PUBLIC}/hooks/phone/call#")
    assert found["status_callback"].startswith(f"{PUBLIC}/hooks/phone/call/status#")
    assert found["voice_fallback_url"] == "https://elsewhere.example.net/fb/voice.xml"
    assert found["voice_fallback_method"] == "GET"


@pytest.mark.parametrize("patience", [setup.TEXT_PATIENCE, setup.CALL_PATIENCE])
def test_connection_overrides_are_such_as_twilio_takes(patience: str) -> None:
    """Bounds of "Webhook connection overrides": ct 100-10 000, rt and tt 100-15 000, rc 0-5."""
    said = dict(pair.split("=") for pair in patience.removeprefix("#").split("&"))
    bounds = {"ct": (100, 10_000), "rt": (100, 15_000), "tt": (100, 15_000), "rc": (0, 5)}
    assert all(low <= int(said[name]) <= high for name, (low, high) in bounds.items() if name in said)
    assert set(said["rp"].split(",")) <= {"4xx", "5xx", "ct", "rt", "all"}
    assert set(said) <= {*bounds, "rp"}


def test_what_is_right_is_no_difference() -> None:
    wishes = setup.wanted(options(), "texts", "sms")
    row = {"sid": "PN1", **wishes, "sms_application_sid": None, "friendly_name": "x"}
    assert setup.change(row, wishes, number=OWN).wanted == {}


def test_a_difference_is_told_in_one_line_and_without_others_secrets() -> None:
    wishes = setup.wanted(options(), "texts", "sms")
    row = {**wishes, "sms_url": "https://user:hunter2@old.example.com/sms?token=hunter2"}
    [difference] = setup.change(row, wishes, number=OWN).differences
    assert difference.sentence == (
        f"{OWN}: SmsUrl is https://old.example.com/sms?…, should be {wishes['sms_url']}"
    )


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no token": ({"auth_token": ""}, "auth_token is not set"),
    "no numbers": ({"numbers": ()}, "numbers is empty"),
    "never reconciled": ({"reconcile_s": 0}, "reconcile_s is 0"),
    "no public_url": ({"public_url": ""}, "public_url is not set"),
    "plain http": ({"public_url": "http://help.example.com"}, "is not https"),
    "loopback": ({"public_url": "https://127.0.0.1:8443"}, "cannot reach"),
    "localhost": ({"public_url": "https://localhost"}, "cannot reach"),
    "private": ({"public_url": "https://10.1.2.3"}, "cannot reach"),
    "private IPv6": ({"public_url": "https://[fd00::1]"}, "cannot reach"),
    "a name of the house": ({"public_url": "https://desk.lan"}, "cannot reach"),
    "plain fallback": ({"fallback_url": "http://elsewhere.example.net"}, "fallback_url is not https"),
}


@every_row("case", WRONG)
def test_what_is_wrong_without_asking_anybody_is_told(case: str) -> None:
    given, said = WRONG[case]
    found = [each for each in setup.problems(options(**given), "sms") if said in each.message]
    assert len(found) == 1
    assert found[0].hint


def test_a_good_account_has_no_problem() -> None:
    good = options(fallback_url="https://elsewhere.example.net/fb")
    assert list(setup.problems(good, "voice")) == []


def test_only_who_is_called_needs_a_second_host() -> None:
    """A text needs no answer, and is brought when we are back."""
    assert [each.severity for each in setup.problems(options(), "voice")] == ["hint"]
    assert list(setup.problems(options(), "sms")) == []


def test_a_played_twilio_reaches_this_machine() -> None:
    local = options(public_url="http://127.0.0.1:8080", api_url="http://127.0.0.1:9")
    assert list(setup.problems(local, "sms")) == []


def test_a_region_of_twilio_is_no_played_one() -> None:
    local = options(public_url="https://127.0.0.1:8080", api_url="https://api.dublin.ie1.twilio.com")
    assert ["cannot reach" in each.message for each in setup.problems(local, "sms")] == [True]


# -- asked ------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def api(provider: Provider, api_url: str) -> AsyncIterator[Api]:
    api = Api(played(provider, api_url))
    yield api
    await api.close()


def played(provider: Provider, url: str, **more: Any) -> sms.Options:
    return options(account_sid=provider.account, auth_token=provider.token, api_url=url, **more)


async def test_setup_sets_what_differs_and_a_second_run_nothing(
    api: Api, provider: Provider, api_url: str
) -> None:
    given = played(provider, api_url, fallback_url="https://elsewhere.example.net/fb")
    found = await probe.inspect("texts", given, "sms", api)
    assert found.problems == ()
    [change] = found.changes
    await probe.apply(api, change, "sms")
    kept = provider.numbers[OWN].settings
    assert kept["sms_url"] == setup.wanted(given, "texts", "sms")["sms_url"]
    assert kept["sms_fallback_url"] == "https://elsewhere.example.net/fb/sms.xml"
    assert "voice_url" not in kept
    assert (await probe.inspect("texts", given, "sms", api)).changes == ()


async def test_what_would_make_twilio_overlook_the_address_is_changed_too(
    api: Api, provider: Provider, api_url: str
) -> None:
    """An application takes the texts of its number, whatever SmsUrl says; GET would put them into our access log."""
    given = played(provider, api_url)
    right = setup.wanted(given, "texts", "sms")
    provider.numbers[OWN].settings = {**right, "sms_application_sid": "AP" + "1" * 32, "sms_method": "GET"}
    [change] = (await probe.inspect("texts", given, "sms", api)).changes
    assert change.wanted == {"SmsApplicationSid": "", "SmsMethod": "POST"}
    await probe.apply(api, change, "sms")
    assert (await probe.inspect("texts", given, "sms", api)).changes == ()


async def test_a_text_and_a_phone_account_share_a_number(api: Api, provider: Provider, api_url: str) -> None:
    given = played(provider, api_url)
    for account, medium in (("texts", "sms"), ("phone", "voice")):
        for change in (await probe.inspect(account, given, medium, api)).changes:  # type: ignore[arg-type]
            await probe.apply(api, change, medium)  # type: ignore[arg-type]
    for account, medium in (("texts", "sms"), ("phone", "voice")):
        assert (await probe.inspect(account, given, medium, api)).changes == ()  # type: ignore[arg-type]


async def test_a_number_that_is_not_there_and_one_that_cannot_text_are_told(
    api: Api, provider: Provider, api_url: str
) -> None:
    provider.numbers[OWN].can = frozenset(("voice",))
    given = played(provider, api_url, numbers=(OWN, "+48221111111"))
    said = [each.message for each in (await probe.inspect("texts", given, "sms", api)).problems]
    assert said == [
        f"{OWN} cannot send or receive texts",
        "+48221111111 is not a number of this Twilio account",
    ]


async def test_a_sip_trunk_that_takes_the_calls_is_told(api: Api, provider: Provider, api_url: str) -> None:
    provider.numbers[OWN].settings["trunk_sid"] = "TK" + "1" * 32
    found = await probe.inspect("phone", played(provider, api_url), "voice", api)
    assert ["SIP trunk" in each.message for each in found.problems] == [True]


async def test_a_wrong_token_is_named_and_not_shown(provider: Provider, api_url: str) -> None:
    given = options(account_sid=provider.account, auth_token="wrong-token", api_url=api_url)
    api = Api(given)
    [problem] = (await probe.inspect("texts", given, "sms", api)).problems
    await api.close()
    assert "account_sid and auth_token do not belong together" in problem.message
    assert "wrong-token" not in repr(problem)


async def test_whatsapp_without_a_senders_api_is_set_up_by_hand(
    api: Api, provider: Provider, api_url: str
) -> None:
    [problem] = (await probe.inspect("wa", played(provider, api_url), "whatsapp", api)).problems
    assert f"{PUBLIC}/hooks/wa/message" in problem.hint
    assert f"{PUBLIC}/hooks/wa/status" in problem.hint
    nowhere = played(provider, api_url, public_url="")
    assert (await probe.inspect("wa", nowhere, "whatsapp", api)).problems == ()


class Senders:
    """Twilio's Senders and Services, as far as setup asks them."""

    def __init__(self) -> None:
        self.webhook: dict[str, str] = {"callback_url": "https://old.example.com"}
        self.defers = False
        self.is_closed = False

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v2/Channels/Senders", self._list)
        app.router.add_post("/v2/Channels/Senders/{sid}", self._change)
        app.router.add_get("/v1/Services", self._services)
        app.router.add_get("/v1/Services/MG1/PhoneNumbers", self._numbers)
        app.router.add_get("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json", self._incoming)
        return app

    async def _list(self, request: web.Request) -> web.Response:
        if request.query.get("PageToken") == "2":
            row = {
                "sid": "XE1",
                "sender_id": f"whatsapp:{OWN}",
                "status": "ONLINE",
                "webhook": self.webhook,
            }
            return web.json_response({"senders": [row], "meta": {"next_page_url": None}})
        assert request.query["Channel"] == "whatsapp"
        following = "https://messaging.twilio.com/v2/Channels/Senders?Channel=whatsapp&PageToken=2"
        return web.json_response({"senders": [], "meta": {"next_page_url": following}})

    async def _change(self, request: web.Request) -> web.Response:
        self.webhook = (await request.json())["webhook"]
        return web.json_response({"sid": "XE1"}, status=202)

    async def _services(self, _: web.Request) -> web.Response:
        if self.is_closed:
            return web.json_response({"code": 70051, "message": "Authorization error"}, status=403)
        row = {"sid": "MG1", "friendly_name": "Bulk", "use_inbound_webhook_on_number": self.defers}
        return web.json_response({"services": [row], "meta": {}})

    async def _numbers(self, _: web.Request) -> web.Response:
        return web.json_response({"phone_numbers": [{"phone_number": OWN}], "meta": {}})

    async def _incoming(self, _: web.Request) -> web.Response:
        row = {"sid": "PN1", "phone_number": OWN, "capabilities": {"sms": True, "mms": True}}
        return web.json_response({"incoming_phone_numbers": [row], "next_page_uri": None})


@pytest.fixture
async def senders() -> AsyncIterator[tuple[Senders, str]]:
    senders = Senders()
    async with listening(senders.application()) as url:
        yield senders, url


class listening:  # noqa: N801 - used like a function
    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


async def test_a_whatsapp_sender_is_set_up_and_a_second_run_changes_nothing(
    senders: tuple[Senders, str],
) -> None:
    played_, url = senders
    given = options(api_url=url)
    api = Api(given)
    [change] = (await probe.inspect("wa", given, "whatsapp", api)).changes
    await probe.apply(api, change, "whatsapp")
    again = await probe.inspect("wa", given, "whatsapp", api)
    await api.close()
    assert again == probe.Inspection()
    assert played_.webhook["callback_url"].startswith(f"{PUBLIC}/hooks/wa/message#")


async def test_the_sandbox_is_set_up_by_hand_and_the_senders_all_the_same(
    senders: tuple[Senders, str],
) -> None:
    """Everybody tries WhatsApp with it, and it is no sender of theirs."""
    _, url = senders
    given = options(api_url=url, numbers=(OWN, probe.SANDBOX))
    api = Api(given)
    found = await probe.inspect("wa", given, "whatsapp", api)
    await api.close()
    [problem] = found.problems
    assert problem.severity == "warning"
    assert "Sandbox settings" in problem.hint
    assert f"{PUBLIC}/hooks/wa/message" in problem.hint
    assert [change.number for change in found.changes] == [OWN]


async def test_a_key_that_may_not_read_services_hides_nothing_else(senders: tuple[Senders, str]) -> None:
    played_, url = senders
    played_.is_closed = True
    given = options(api_url=url)
    api = Api(given)
    found = await probe.inspect("texts", given, "sms", api)
    await api.close()
    [problem] = found.problems
    assert (problem.severity, "cannot be looked up" in problem.message) == ("warning", True)
    assert [change.number for change in found.changes] == [OWN]


async def test_a_messaging_service_that_takes_a_numbers_texts_is_told(senders: tuple[Senders, str]) -> None:
    played_, url = senders
    given = options(api_url=url)
    api = Api(given)
    [problem] = (await probe.inspect("texts", given, "sms", api)).problems
    played_.defers = True
    again = await probe.inspect("texts", given, "sms", api)
    await api.close()
    assert "go to the messaging service Bulk" in problem.message
    assert "Defer to sender's webhook" in problem.hint
    assert again.problems == ()


# -- our own door -----------------------------------------------------------------------------------------------------


def desk(account: str, given: sms.Options, gate: testing.MemoryGate) -> web.Application:
    app = web.Application()
    hooks.mount(app, {account: sms.Channel(account, given)}, gate)
    return app


async def test_a_knock_at_our_own_door_is_answered_and_kept_by_nobody() -> None:
    gate, served = testing.MemoryGate(), web.Application()
    async with listening(served) as url:
        pass
    port = int(url.rpartition(":")[2])
    given = options(public_url=f"http://127.0.0.1:{port}")
    runner = web.AppRunner(desk("texts", given, gate), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        assert await probe.knock(given, "texts") == []
        [forged] = await probe.knock(sms.Options(**{**as_given(given), "auth_token": "other"}), "texts")
        [missing] = await probe.knock(given, "nobody")
    finally:
        await runner.cleanup()
    assert gate.stored == []
    assert "refuses a signed request: 403" in forged.message
    assert "refuses a signed request: 404" in missing.message
    [silent] = await probe.knock(given, "texts")
    assert "cannot be reached" in silent.message


def as_given(given: sms.Options) -> dict[str, Any]:
    return {name: getattr(given, name) for name in given.__struct_fields__}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (web.Response(text="Welcome to nginx!"), "something else answers"),
        (web.Response(status=502), "answers 502"),
        (web.Response(status=301, headers={"Location": "https://www.example.com/x?secret=1"}), "answers 301"),
    ],
)
async def test_what_stands_in_front_of_us_is_told(answer: web.Response, said: str) -> None:
    async def respond(_: web.Request) -> web.Response:
        return web.Response(status=answer.status, text=answer.text, headers=answer.headers)

    app = web.Application()
    app.router.add_post("/hooks/texts/check", respond)
    async with listening(app) as url:
        [problem] = await probe.knock(options(public_url=url), "texts")
    assert said in problem.message
    assert "secret" not in problem.message


async def test_a_certificate_that_nobody_believes_is_told() -> None:
    """Twilio would not believe it, either."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = amazon_play.certificate("127.0.0.1", key, before=datetime.now(UTC), is_ca=True)
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tls = media_play._server_side(amazon_play.key_pem(key) + amazon_play.pem(made))
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    [problem] = await probe.knock(options(public_url=url), "texts")
    await runner.cleanup()
    assert "certificate" in problem.message
    assert "public authority" in problem.hint
