"""Signs webhooks as Twilio does, with the twilio package's own code: the oracle of our signature check.

Source: twilio.com/docs/usage/webhooks/webhooks-security (2026-11).
"""

from collections.abc import Sequence

from twilio.request_validator import RequestValidator

HEADER = "X-Twilio-Signature"


def signature(token: str, url: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Sign a form. url: the public one, with its query; pairs: those of the body, () for a GET."""
    form: dict[str, str | list[str]] = {}
    for name, value in pairs:
        before = form.get(name)
        form[name] = value if before is None else [*([before] if isinstance(before, str) else before), value]
    signed: str = RequestValidator(token).compute_signature(url, form)
    return signed
