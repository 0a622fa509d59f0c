"""Holds the templates of intake.yaml against Twilio's: whether each is there, approved by WhatsApp, and reads the same.

An agent chooses a template by the text that intake.yaml has of it; what the customer gets is Twilio's. So what differs is a
problem of the configuration, found by `intake doctor` and not by a customer.
Source: twilio.com/docs/content/content-api-resources, "Fetch a content resource" and "Fetch an approval status" (checked
2026-11): `types` holds a form of the content for each kind of message, most with a `body`; approval is under `whatsapp`.
"""

import re
from collections.abc import Iterable, Iterator

from channels.contract import Problem
from channels.twilio import asking
from channels.twilio.api import Api, ApiError
from channels.twilio.listing import Row
from channels.twilio.templates import Template

CONTENT = "https://content.twilio.com/v1/Content"
APPROVED = "approved"
_NOT_FOUND = 404
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_SHOWN = 100


async def problems(api: Api, templates: Iterable[Template]) -> list[Problem]:
    """Return what is wrong with each template. Nothing is raised: what Twilio says is a problem."""
    found: list[Problem] = []
    for each in templates:
        try:
            content = await asking.one(api, f"{CONTENT}/{each.sid}")
            approval = await asking.one(api, f"{CONTENT}/{each.sid}/ApprovalRequests")
        except ApiError as error:
            found.append(_refused(each, error))
            if error.status != _NOT_FOUND:
                return found  # it would say the same of every other
        else:
            found += [*_differing(each, content), *_unapproved(each, approval)]
    return found


def _refused(template: Template, error: ApiError) -> Problem:
    if error.status != _NOT_FOUND:
        return Problem(f"the templates cannot be compared: {error}", severity="warning")
    hint = "copy its ContentSid from Twilio's console, Content Template Builder, of this account"
    return Problem(f"{_named(template)} is not there at Twilio: {template.sid}", hint)


def _differing(template: Template, content: Row) -> Iterator[Problem]:
    language = str(content.get("language") or "")
    if language and language[:2].lower() != template.language:
        yield Problem(f"{_named(template)} is in '{language}' at Twilio", "write its language as it is there")
    bodies = [body for body in _bodies(content) if body]
    if bodies and _plain(template.text) not in {_plain(each) for each in bodies}:
        hint = "write its text as it was approved: agents see it before they send it"
        yield Problem(f'{_named(template)} reads otherwise at Twilio: "{bodies[0][:_SHOWN]}"', hint)


def _bodies(content: Row) -> Iterator[str]:
    types = content.get("types")
    for each in types.values() if isinstance(types, dict) else ():
        if isinstance(each, dict):
            yield str(each.get("body") or "")


def _plain(text: str) -> str:
    return " ".join(_PLACE.sub(r"{{\1}}", text).split())


def _unapproved(template: Template, approval: Row) -> Iterator[Problem]:
    told = approval.get("whatsapp")
    status = str(told.get("status") or "") if isinstance(told, dict) else ""
    if status.lower() == APPROVED:
        return
    why = str(told.get("rejection_reason") or "") if isinstance(told, dict) else ""
    said = f"{status or 'never submitted'}{f', {why[:_SHOWN]}' if why else ''}"
    yield Problem(
        f"{_named(template)} is not approved by WhatsApp ({said})",
        "nobody gets it when their 24 hours are over: submit it in Twilio's console, or take it away",
    )


def _named(template: Template) -> str:
    return f"template '{template.name}' ({template.language})"
