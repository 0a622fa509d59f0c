"""Texts and MMS through a number at Twilio (twilio.com/docs/messaging/guides/webhook-request, checked 2026-11).

Guarantee and routes: see channels.twilio.texting. Who texts is never proven: a sender of an SMS can be made up.
Limits: a group MMS is a message of its sender, who else got it stands in Message.cc; RCS is read as text.
Level: solid.
"""

from typing import Any

from channels import contract
from channels.twilio import send, settings, texting

MEDIUM = "sms"
kept_elsewhere = texting.kept_elsewhere


class Options(settings.Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """sending: see channels.twilio.send; the rest: channels.twilio.settings."""

    sending: send.Sending = send.Sending()


def parse(raw: contract.RawMessage, options: Options, evidence: Any = None) -> contract.Understood:
    """A message or a word of consent."""
    return texting.parse(raw, options, medium=MEDIUM)


class Channel(texting.Texts):
    KIND = "twilio.sms"
    MEDIUM = "sms"
