"""How a message is written in the admin's tests: what somebody wrote, from where, and what was read off it."""

import re

import msgspec

from routing.facts import AttachmentFacts, Facts, SenderFacts
from routing.problems import Problem
from routing.typed import said
from routing.value_text import quotes_hint
from routing.yaml_text import Node

_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,}\Z")
_PROVES_NOBODY = ("sms", "voice")


class _AttachmentNode(msgspec.Struct, frozen=True):
    name: str = ""
    type: str = ""
    size: int = 0


class _CallNode(msgspec.Struct, frozen=True):
    choice: str | None = None
    outcome: str | None = None


class MessageNode(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What was written; the keys that a step of a test takes too."""

    from_: Node | None = None
    name: str | None = None
    phone: str | None = None
    country: str | None = None
    to: Node | None = None
    cc: Node | None = None
    verified: bool | None = None
    language: str | None = None
    subject: str = ""
    body: str = ""
    quoted: str = ""
    attachments: tuple[_AttachmentNode, ...] = ()
    automatic: bool | str | None = None
    headers: dict[str, str | tuple[str, ...]] = {}
    spam_score: float | None = None
    form: dict[str, str] = {}
    call: _CallNode = _CallNode()
    page: str | None = None


class FirstMessageNode(MessageNode, frozen=True, kw_only=True, rename={"from_": "from"}):
    channel: str
    account: str = ""
    unreadable: bool = False
    direction: str = "in"
    created_by: str = "customer"


def check_proof(message: FirstMessageNode, node: Node, problems: list[Problem]) -> None:
    if message.verified and message.channel in _PROVES_NOBODY:
        where = node.value["verified"]
        problems.append(where.problem("bad-value", "a number never proves who is writing", "take it away"))


def with_message(facts: Facts, message: MessageNode, problems: list[Problem]) -> Facts:
    """The facts with what was written; what is not said of the sender and the address of ours stays."""
    recipient = (*_texts(message.to, problems), *_texts(message.cc, problems))
    return msgspec.structs.replace(
        facts,
        recipient=tuple(each.lower() for each in recipient) or facts.recipient,
        subject=message.subject,
        body=message.body,
        quoted=message.quoted,
        language=None if message.language == "none" else message.language,
        attachments=tuple(AttachmentFacts(each.name, each.type, each.size) for each in message.attachments),
        automatic=_automatic(message.automatic),
        headers={
            name.lower(): (value,) if isinstance(value, str) else value
            for name, value in message.headers.items()
        },
        spam_score=message.spam_score,
        form=message.form,
        call_choice=message.call.choice,
        call_outcome=message.call.outcome,
        chat_page=message.page,
        sender=_sender(message, facts.sender, problems),
    )


def _sender(message: MessageNode, known: SenderFacts, problems: list[Problem]) -> SenderFacts:
    senders = _texts(message.from_, problems)
    address, phone = known.address, known.phone
    if senders:
        address, phone = (None, senders[0]) if _PHONE.match(senders[0]) else (senders[0].lower(), None)
    return SenderFacts(
        address=address,
        domain=address.rpartition("@")[2] if address else None,
        name=message.name or known.name,
        phone=message.phone or phone,
        country=message.country or known.country,
        verified=known.verified if message.verified is None else message.verified,
        known_since=known.known_since,
    )


def _texts(node: Node | None, problems: list[Problem]) -> tuple[str, ...]:
    if node is None:
        return ()
    found = []
    for each in node.value if node.is_list else (node,):
        if isinstance(each.value, str):
            found.append(each.value)
        else:
            message = f"wanted an address, got {said(each)}"
            problems.append(each.problem("wrong-type", message, quotes_hint(each)))
    return tuple(found)


def _automatic(value: bool | str | None) -> str | None:  # noqa: FBT001 - YAML writes it so
    if isinstance(value, str):
        return None if value == "none" else value
    return "auto_reply" if value else None
