"""Asks Twilio how the numbers of an account are set up, changes what differs, and knocks at our own webhook.

    found = await inspect(account, options, medium, api)      # asks, changes nothing
    await apply(api, change, medium)                          # for each of found.changes
    await knock(options, account)                             # a signed request to public_url, kept by nobody

Source: twilio.com/docs/phone-numbers/api/incomingphonenumber-resource, /docs/whatsapp/api/senders, /docs/messaging/api/
service-resource (checked 2026-11). WhatsApp senders that the Senders API does not know are set up by hand: it is said how.
"""

import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from channels import contract
from channels.twilio import asking, listing, settings, setup, signature, webhook
from channels.twilio.api import Api, ApiError
from channels.twilio.listing import Row
from channels.twilio.setup import Change, Medium

if TYPE_CHECKING:
    from aiohttp import web

CHECK = "check"
NAMED_MAX = 10
# What everybody may try WhatsApp with (twilio.com/docs/whatsapp/sandbox, checked 2026-11): no sender of the account.
SANDBOX = "+14155238886"
_SENDER = (
    "Messaging, Senders, WhatsApp senders, the number, Messaging endpoint: Webhook URL for incoming messages"
)
_TRIED = "Messaging, Try it out, Send a WhatsApp message, Sandbox settings: When a message comes in"
_WHATSAPP = "whatsapp:"


class Inspection(msgspec.Struct, frozen=True):
    """What was found. changes: of numbers that are not set up as they should be. problems: what no setting mends."""

    changes: tuple[Change, ...] = ()
    problems: tuple[contract.Problem, ...] = ()


async def inspect(account: str, options: settings.Options, medium: Medium, api: Api) -> Inspection:
    """Compare the numbers of an account with what they should be. Nothing is raised: what Twilio says is a problem."""
    try:
        if medium == "whatsapp":
            return await _senders(account, options, api)
        rows = await listing.everything(api, "IncomingPhoneNumbers", "incoming_phone_numbers", {})
        problems = [*_numbers(options, medium, rows)]
        if medium == "sms":
            problems += await _services(options, api)
    except ApiError as error:
        return Inspection(problems=(refused(error, options),))
    by_number = {str(row.get("phone_number")): row for row in rows}
    wishes = setup.wanted(options, account, medium)
    changes = [
        setup.change(by_number[number], wishes, number=number)
        for number in options.numbers
        if number in by_number and options.public_url
    ]
    return Inspection(tuple(each for each in changes if each.wanted), tuple(problems))


async def apply(api: Api, change: Change, medium: Medium) -> None:
    """Set what differs, and nothing else. Raises: ApiError."""
    if medium == "whatsapp":
        await asking.post_json(api, f"/v2/Channels/Senders/{change.sid}", {"webhook": change.wanted})
    else:
        path = f"/2010-04-01/Accounts/{{}}/IncomingPhoneNumbers/{change.sid}.json"
        await asking.post_form(api, settings.API_URL + path, change.wanted)


def refused(error: ApiError, options: settings.Options) -> contract.Problem:
    """Say in one sentence why Twilio could not be asked, and which value is wrong."""
    if error.status == 401:
        hint = (
            "make a key of type Standard in Twilio's console, Account Info, API keys, in the account of account_sid itself"
            if options.api_key
            else "copy both from Twilio's console, Account Info; a subaccount has a token of its own"
        )
        return contract.Problem(
            f"Twilio refuses the login: {options.login_names} do not belong together", hint
        )
    if error.status == 403:
        return contract.Problem(f"Twilio refuses access: {error}", "is the account suspended?")
    return contract.Problem(f"Twilio could not be asked: {error}", "try again in a minute")


def _numbers(options: settings.Options, medium: Medium, rows: list[Row]) -> Iterator[contract.Problem]:
    by_number = {str(row.get("phone_number")): row for row in rows}
    for number in options.numbers:
        if number in by_number:
            yield from setup.abilities(by_number[number], medium, number)
        else:
            has = ", ".join(sorted(by_number)[:NAMED_MAX]) or "no number at all"
            yield contract.Problem(f"{number} is not a number of this Twilio account", f"it has: {has}")


async def _services(options: settings.Options, api: Api) -> list[contract.Problem]:
    """Tell which numbers a messaging service takes the texts of. Raises: ApiError."""
    try:
        services = await asking.rows(api, "/v1/Services", "services")
        found: list[contract.Problem] = []
        for service in services:
            if not service.get("use_inbound_webhook_on_number"):
                path = f"/v1/Services/{service.get('sid')}/PhoneNumbers"
                found += _taken(options, service, await asking.rows(api, path, "phone_numbers"))
    except ApiError as error:
        if error.status == 404:
            return []
        if error.status == 403:
            return [_unseen_services(error)]
        raise
    return found


def _unseen_services(error: ApiError) -> contract.Problem:
    return contract.Problem(
        f"whether a messaging service takes the texts cannot be looked up: {error}",
        "let the API key read Messaging Services, or see in Twilio's console: Messaging, Services",
        "warning",
    )


def _taken(options: settings.Options, service: Row, rows: list[Row]) -> Iterator[contract.Problem]:
    for number in sorted({str(row.get("phone_number")) for row in rows} & set(options.numbers)):
        yield contract.Problem(
            f"the texts of {number} go to the messaging service {service.get('friendly_name')}, not to the number's address",
            f"in Twilio's console: Messaging, Services, {service.get('friendly_name')}, Integration: "
            "choose 'Defer to sender's webhook'",
        )


async def _senders(account: str, options: settings.Options, api: Api) -> Inspection:
    """Compare WhatsApp senders. Raises: ApiError."""
    wishes = setup.wanted_of_sender(options, account)
    try:
        rows = await asking.rows(api, "/v2/Channels/Senders", "senders", {"Channel": "whatsapp"})
    except ApiError as error:
        if error.status != 404:
            raise
        return Inspection(problems=_all_by_hand(options, options.numbers, wishes))
    known = {str(row.get("sender_id")).removeprefix(_WHATSAPP): row for row in rows}
    problems = [
        contract.Problem(
            f"{number} is not a WhatsApp sender of this Twilio account",
            f"it has: {', '.join(sorted(known)[:NAMED_MAX]) or 'none'}",
        )
        for number in options.numbers
        if number not in known and number != SANDBOX
    ]
    problems += _all_by_hand(options, set(options.numbers) & {SANDBOX} - set(known), wishes)
    problems += [
        contract.Problem(f"the WhatsApp sender {number} is {row.get('status')}", "see it in Twilio's console")
        for number, row in known.items()
        if number in options.numbers and not str(row.get("status", "")).startswith("ONLINE")
    ]
    changes = [_sender_change(number, known[number], wishes) for number in options.numbers if number in known]
    wanted = tuple(each for each in changes if each.wanted and options.public_url)
    return Inspection(wanted, tuple(problems))


def _sender_change(number: str, row: Row, wishes: Mapping[str, str]) -> Change:
    found = setup.change({**(row.get("webhook") or {}), "sid": row.get("sid")}, wishes, number=number)
    # The webhook is replaced as a whole: what is right already goes along.
    return msgspec.structs.replace(found, wanted=dict(wishes) if found.wanted else {})


def _all_by_hand(
    options: settings.Options, numbers: Iterable[str], wishes: Mapping[str, str]
) -> tuple[contract.Problem, ...]:
    """Tell what to enter where; without a public_url there is nothing to enter, which is said elsewhere."""
    return tuple(_by_hand(each, wishes) for each in numbers) if options.public_url else ()


def _by_hand(number: str, wishes: Mapping[str, str]) -> contract.Problem:
    what, where = ("sandbox", _TRIED) if number == SANDBOX else ("sender", _SENDER)
    return contract.Problem(
        f"the WhatsApp {what} {number} cannot be set up, or looked at, from here",
        f"in Twilio's console: {where} {wishes['callback_url']} (POST), "
        f"status callback {wishes['status_callback_url']} (POST)",
        "warning",
    )


# -- our own door -----------------------------------------------------------------------------------------------------


def route(door: webhook.Door) -> "web.RouteDef":
    """Make the route that `knock` asks: it keeps nothing, and answers only who can sign as Twilio."""
    from aiohttp import web

    async def answer(verified: webhook.Verified) -> str:
        return webhook.EMPTY

    return web.post(f"/{CHECK}", door.opening(answer))


async def knock(options: settings.Options, account: str, *, timeout_s: float = 10) -> list[contract.Problem]:
    """Ask ourselves at public_url as Twilio does, signed; what came back when it is not our answer."""
    import aiohttp

    if not options.public_url or not options.auth_token:
        return []
    url = setup.hook(options, account, CHECK)
    fields = [("AccountSid", options.account_sid)]
    headers = {
        signature.HEADER: signature.sign(url, fields, options.auth_token),
        "Content-Type": signature.FORM,
    }
    body = urllib.parse.urlencode(fields).encode()
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            said = (await answer.content.read(1_000)).decode("utf-8", "replace")
            return list(_judged(url, answer.status, said, answer.headers.get("Location", "")))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return [_unreached(url, error)]


def _unreached(url: str, error: Exception) -> contract.Problem:
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return contract.Problem(
            f"the certificate of {url} is not believed: {error.certificate_error}"[:300],
            "Twilio does not believe it either: it has to be of a public authority, for this name, and not too old",
        )
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return contract.Problem(
        f"{url} cannot be reached from here: {why[:200]}",
        "is the daemon running, and does the name lead to it? Some networks do not let a machine call itself",
    )


def _judged(url: str, status: int, said: str, location: str) -> Iterator[contract.Problem]:
    if status == 200 and said == webhook.EMPTY:
        return
    hints = {
        403: "the running daemon believes another auth_token or public_url: its log says which part differs",
        404: "is this account in the running daemon's intake.yaml, and does the proxy pass /hooks/ on unchanged?",
        405: "something else answers there: does the proxy pass /hooks/ on?",
    }
    if 300 <= status < 400:
        yield contract.Problem(
            f"{url} answers {status} to {setup.shown(location)}",
            "write public_url as it is after the redirect",
        )
    elif status in hints:
        yield contract.Problem(f"{url} refuses a signed request: {status}", hints[status])
    elif status == 200:
        yield contract.Problem(
            f"something else answers at {url}", "does the proxy pass /hooks/ to the daemon?"
        )
    else:
        yield contract.Problem(
            f"{url} answers {status}", "is the daemon running, and the proxy's way to it right?"
        )
