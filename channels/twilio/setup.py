"""What the settings of a number at Twilio should be, and what differs from them. Pure; `probe` asks and changes.

Twilio is told by the part of an address behind # how patient it shall be (twilio.com/docs/usage/webhooks/webhooks-connection-
overrides, checked 2026-11): ct, rt: milliseconds to connect and to wait for the answer; rc: how often it is tried again,
0-5; rp: after what (5xx, ct, rt; 4xx is our refusal and stays one); tt: all of it together, at most 15 000. That part is
neither sent nor signed. Settings: twilio.com/docs/phone-numbers/api/incomingphonenumber-resource (checked 2026-11).
"""

import ipaddress
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from channels import contract
from channels.twilio import fallback, settings

Texting = Literal["sms", "whatsapp"]
Medium = Texting | Literal["voice"]
Row = Mapping[str, Any]

# A text can wait, and is lost to the webhook after the last try: five more, within Twilio's 15 s.
TEXT_PATIENCE = "#ct=2000&rt=4000&rc=5&rp=5xx,ct,rt"
# A caller hears silence meanwhile: one more, and after 8 s the voicemail of the second host.
CALL_PATIENCE = "#ct=1500&rt=3500&rc=1&rp=5xx,ct,rt&tt=8000"
MESSAGE, STATUS, CALL, CALL_STATUS = "message", "status", "call", "call/status"

# As the REST API reads them -> as it takes them.
PARAMETERS = {
    "sms_url": "SmsUrl",
    "sms_method": "SmsMethod",
    "sms_fallback_url": "SmsFallbackUrl",
    "sms_fallback_method": "SmsFallbackMethod",
    "sms_application_sid": "SmsApplicationSid",
    "voice_url": "VoiceUrl",
    "voice_method": "VoiceMethod",
    "voice_fallback_url": "VoiceFallbackUrl",
    "voice_fallback_method": "VoiceFallbackMethod",
    "voice_application_sid": "VoiceApplicationSid",
    "voice_receive_mode": "VoiceReceiveMode",
    "status_callback": "StatusCallback",
    "status_callback_method": "StatusCallbackMethod",
}
_PRIVATE_NAMES = ("localhost", ".localhost", ".local", ".internal", ".lan", ".home.arpa")


class Difference(msgspec.Struct, frozen=True):
    """One setting that is not as it should be. setting: as Twilio's documents name it. is_, should: fit to be shown."""

    number: str
    setting: str
    is_: str
    should: str

    @property
    def sentence(self) -> str:
        is_ = f"is {self.is_}" if self.is_ else "is not set"
        return f"{self.number}: {self.setting} {is_}, should be {self.should or 'empty'}"


class Change(msgspec.Struct, frozen=True):
    """What has to be changed at one number. sid: of the number or the sender; wanted: parameter -> value."""

    sid: str
    number: str
    differences: tuple[Difference, ...]
    wanted: dict[str, str]


def hook(options: settings.Options, account: str, path: str) -> str:
    from channels import hooks  # brings the HTTP server along, which the command line rarely needs

    return f"{options.public_url}{hooks.PREFIX}/{account}/{path}"


def wanted(options: settings.Options, account: str, medium: Medium) -> dict[str, str]:
    """Return the settings that a number of an account should have, as the REST API reads them."""
    if medium == "sms":
        found = {
            "sms_url": hook(options, account, MESSAGE) + TEXT_PATIENCE,
            "sms_method": "POST",
            "sms_application_sid": "",
        }
        return found | _fallen_back(options, "sms", fallback.SMS)
    found = {
        "voice_url": hook(options, account, CALL) + CALL_PATIENCE,
        "voice_method": "POST",
        "status_callback": hook(options, account, CALL_STATUS) + TEXT_PATIENCE,
        "status_callback_method": "POST",
        "voice_application_sid": "",
        "voice_receive_mode": "voice",
    }
    return found | _fallen_back(options, "voice", fallback.VOICE)


def wanted_of_sender(options: settings.Options, account: str) -> dict[str, str]:
    """Return the webhooks that a WhatsApp sender should have (twilio.com/docs/whatsapp/api/senders, 2026-11)."""
    found = {
        "callback_url": hook(options, account, MESSAGE) + TEXT_PATIENCE,
        "callback_method": "POST",
        "status_callback_url": hook(options, account, STATUS) + TEXT_PATIENCE,
        "status_callback_method": "POST",
    }
    if options.fallback_url:
        found |= {"fallback_url": f"{options.fallback_url}/{fallback.SMS}", "fallback_method": "GET"}
    return found


def _fallen_back(options: settings.Options, what: str, name: str) -> dict[str, str]:
    """Return where Twilio turns to when we do not answer; nothing is wanted where there is no second host."""
    if not options.fallback_url:
        return {}
    # A host of files answers to GET; what Twilio would post is of no use to it.
    return {f"{what}_fallback_url": f"{options.fallback_url}/{name}", f"{what}_fallback_method": "GET"}


def change(
    row: Row, wishes: Mapping[str, str], *, number: str, names: Mapping[str, str] = PARAMETERS
) -> Change:
    """Compare what a number has with what it should have. names: of its settings, as they are written to."""
    differing = {name: value for name, value in wishes.items() if _said(row, name) != value}
    return Change(
        sid=str(row.get("sid", "")),
        number=number,
        differences=tuple(
            Difference(number, names.get(name, name), shown(_said(row, name)), shown(value))
            for name, value in differing.items()
        ),
        wanted={names.get(name, name): value for name, value in differing.items()},
    )


def _said(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


def shown(value: str) -> str:
    """Write a setting so that nothing secret is seen: addresses of others may hold passwords and tokens."""
    if "://" not in value:
        return value
    parts = urllib.parse.urlsplit(value)
    query = "?…" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}{fragment}"


def abilities(row: Row, medium: Medium, number: str) -> Iterator[contract.Problem]:
    """Tell what a number cannot do, and what else takes its calls."""
    can: Any = row.get("capabilities") or {}
    if medium == "sms" and not can.get("sms"):
        yield contract.Problem(
            f"{number} cannot send or receive texts", "buy a number with the capability SMS, or leave it out"
        )
    elif medium == "sms" and not can.get("mms"):
        yield contract.Problem(
            f"{number} cannot send or receive pictures (MMS)", "texts work all the same", severity="hint"
        )
    if medium == "voice" and not can.get("voice"):
        yield contract.Problem(
            f"{number} cannot be called", "buy a number with the capability voice, or leave it out"
        )
    if medium == "voice" and row.get("trunk_sid"):
        yield contract.Problem(
            f"{number} belongs to a SIP trunk, which takes its calls",
            "take it out of the trunk in Twilio's console: Elastic SIP Trunking, Trunks, Numbers",
        )


def problems(options: settings.Options, medium: Medium) -> Iterator[contract.Problem]:
    """Tell what can be judged without asking anybody."""
    if not options.auth_token:
        yield contract.Problem(
            "auth_token is not set: no webhook is believed"
            + ("" if options.api_key else ", and Twilio cannot be asked"),
            "copy it from Twilio's console, Account Info, into a ${VARIABLE}",
        )
    if not options.numbers:
        yield contract.Problem(
            "numbers is empty: nothing is sent, and nothing is reconciled", "numbers: [+48…]"
        )
    if not options.reconcile_s:
        yield contract.Problem(
            "reconcile_s is 0: what no webhook brings is lost", "set it to 300", severity="warning"
        )
    yield from _reach(options)
    if not options.fallback_url and medium == "voice":  # texts need no answer, and are brought later
        yield contract.Problem(
            "fallback_url is not set: while we are down, callers hear an error message",
            "intake twilio fallback DIR writes the files for a second host, and tells how",
            severity="hint",
        )
    if options.fallback_url and not options.fallback_url.startswith("https://"):
        yield contract.Problem(
            f"fallback_url is not https: {shown(options.fallback_url)}", "anybody could speak in our name"
        )


def _reach(options: settings.Options) -> Iterator[contract.Problem]:
    """Tell why Twilio could not reach us at public_url. A simulated Twilio reaches everything."""
    url = options.public_url
    if not url:
        yield contract.Problem(
            "public_url is not set: Twilio is told no address, and no signature can be right",
            "set http: public_url to the https address of this daemon, as it is seen from outside",
        )
        return
    if not (urllib.parse.urlsplit(options.api_url).hostname or "").endswith(".twilio.com"):
        return
    host = urllib.parse.urlsplit(url).hostname or ""
    if not url.startswith("https://"):
        yield contract.Problem(
            f"public_url is not https: {shown(url)}",
            "what customers write would travel open; put TLS in front",
        )
    if _is_private(host):
        yield contract.Problem(
            f"public_url names {host}, which Twilio cannot reach", "use the name that the internet knows"
        )


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.lower().endswith(_PRIVATE_NAMES)
