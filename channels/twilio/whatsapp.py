"""WhatsApp through a sender at Twilio (twilio.com/docs/whatsapp/api, /docs/messaging/guides/webhook-request, checked 2026-11).

Guarantee and routes: see channels.twilio.texting. A user may hide their number and is an id then; Meta vouches for both,
but not for whose they are, so a sender is never verified here either.
Limits: a contact comes as a vCard file; what Twilio does not pass on (a poll, an edit) is an empty message with a problem.
Level: solid.
"""

from typing import Any

from channels import contract
from channels.twilio import send, settings, texting
from channels.twilio import templates as templating

MEDIUM = "whatsapp"
kept_elsewhere = texting.kept_elsewhere


class Options(settings.Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """templates: what may be sent when the customer's 24 hours are over; sending: see channels.twilio.send.

    The rest: channels.twilio.settings.
    """

    templates: tuple[templating.Template, ...] = ()
    sending: send.Sending = send.Sending()

    def __post_init__(self) -> None:
        super().__post_init__()
        templating.check_unique(self.templates)


def parse(raw: contract.RawMessage, options: Options, evidence: Any = None) -> contract.Understood:
    """A message or a word of consent."""
    return texting.parse(raw, options, medium=MEDIUM)


class Channel(texting.Texts):
    KIND = "twilio.whatsapp"
    MEDIUM = "whatsapp"
