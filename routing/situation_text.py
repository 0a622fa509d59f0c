"""How a message and its circumstances are written in the admin's tests: YAML nodes -> facts.

`{"message": {…}, "at": …, "given": …, "lists": …}`; `intake route --kind json` reads the same object.
"""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from routing.durations import seconds_from
from routing.facts import AgentLoad, AttachmentFacts, CustomerFacts, DeskFacts, Facts, SenderFacts
from routing.problems import Problem, did_you_mean
from routing.typed import convert, said
from routing.value_text import quotes_hint
from routing.yaml_text import Node

WHEN_NOT_SAID = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)  # a Wednesday
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,}\Z")
_PROVES_NOBODY = ("sms", "voice")
_MAX_TICKETS = 100


class People(msgspec.Struct, frozen=True):
    """What a situation may name. teams, levels: None = not checked."""

    agents: frozenset[str]
    lists: frozenset[str]
    teams: frozenset[str] | None = None
    levels: frozenset[str] | None = None


class Situation(msgspec.Struct, frozen=True):
    """A message at an instant. has_language: whether the language was said; else it is to be detected.

    lists: values that replace the rulebook's for this situation; facts.kept holds them too, for those kept at the desk.
    """

    facts: Facts
    has_language: bool
    lists: dict[str, tuple[str, ...]] = {}


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


class _FirstMessageNode(MessageNode, frozen=True, kw_only=True, rename={"from_": "from"}):
    channel: str
    account: str = ""
    unreadable: bool = False
    direction: str = "in"
    created_by: str = "customer"


class _CustomerNode(msgspec.Struct, frozen=True):
    organization: str | None = None
    tags: tuple[str, ...] = ()
    tier: str | None = None
    language: str | None = None
    open_tickets: int = 0
    tickets: Node | None = None
    last_rating: int | None = None
    opted_out: bool = False
    first_contact: bool | None = None
    known_since: Node | None = None
    fields: dict[str, str] = {}


class _GivenNode(msgspec.Struct, frozen=True):
    away: tuple[str, ...] = ()
    load: dict[str, dict[str, int]] = {}
    customer: _CustomerNode = _CustomerNode()
    incident: bool = False
    waiting: dict[str, int] = {}


class _SituationNode(msgspec.Struct, frozen=True):
    message: Node
    at: Node | None = None
    given: Node | None = None
    lists: dict[str, tuple[str, ...]] = {}


def read_situation(node: Node, people: People, problems: list[Problem]) -> Situation | None:
    """`{"message": {…}, "at": …, "given": …, "lists": …}`; None when there is a problem."""
    before = len(problems)
    written = convert(node, _SituationNode, problems=problems)
    if written is None:
        return None
    situation = situation_from(written, node, people, problems)
    return situation if len(problems) == before else None


def situation_from(written: Any, node: Node, people: People, problems: list[Problem]) -> Situation:
    """The situation of anything that has message, at, given and lists."""
    at = read_instant(written.at, problems) if written.at else WHEN_NOT_SAID
    message = convert(written.message, _FirstMessageNode, problems=problems)
    given = convert(written.given, _GivenNode, problems=problems) if written.given else _GivenNode()
    check_known(written.lists, people.lists, "list", node, problems)
    if message is None or given is None:
        return Situation(Facts(at=WHEN_NOT_SAID), has_language=True)
    _check_people(given, people, written.given or node, problems)
    _check_proof(message, written.message, problems)
    facts = _facts(message, given, at=at, problems=problems)
    facts = msgspec.structs.replace(facts, kept=dict(written.lists))
    return Situation(facts, "language" in written.message.value, written.lists)


def _check_people(given: _GivenNode, people: People, node: Node, problems: list[Problem]) -> None:
    check_known((*given.away, *given.load), people.agents, "agent", node, problems)
    if people.teams is not None:
        check_known(given.waiting, people.teams, "team", node, problems)


def _check_proof(message: _FirstMessageNode, node: Node, problems: list[Problem]) -> None:
    if message.verified and message.channel in _PROVES_NOBODY:
        where = node.value["verified"]
        problems.append(where.problem("bad-value", "a number never proves who is writing", "take it away"))


def check_known(
    names: Iterable[str], known: Collection[str], what: str, node: Node, problems: list[Problem]
) -> None:
    unknown = (name for name in names if name not in known)
    problems.extend(
        node.problem(f"unknown-{what}", f"no {what} '{name}'", did_you_mean(name, known)) for name in unknown
    )


def read_instant(node: Node, problems: list[Problem]) -> datetime:
    """An instant with its time zone, as UTC; WHEN_NOT_SAID when it is none."""
    try:
        at = datetime.fromisoformat(str(node.value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        hint = "write it like 2026-11-10T17:30+01:00"
        problems.append(node.problem("bad-instant", f"no instant with its time zone {said(node)}", hint))
        return WHEN_NOT_SAID
    return at.astimezone(UTC)


# -- facts ----------------------------------------------------------------------------------------------------------


def _facts(message: _FirstMessageNode, given: _GivenNode, *, at: datetime, problems: list[Problem]) -> Facts:
    bare = Facts(
        at=at,
        channel=message.channel,
        account=message.account,
        unreadable=message.unreadable,
        direction=message.direction,
        created_by=message.created_by,
        customer=_customer(given.customer, at=at, problems=problems),
        desk=DeskFacts(given.incident, given.waiting),
        agents=loads(given.away, given.load),
    )
    facts = with_message(bare, message, problems)
    known_since = given.customer.known_since
    if known_since is None:
        return facts
    since = _instant_before(known_since, at=at, problems=problems)
    return msgspec.structs.replace(facts, sender=msgspec.structs.replace(facts.sender, known_since=since))


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


def loads(away: Collection[str], load: dict[str, dict[str, int]]) -> dict[str, AgentLoad]:
    """Agent -> how busy; only those who are away or have something open."""
    names = dict.fromkeys((*away, *load))
    return {name: AgentLoad(load.get(name, {}), away=name in away) for name in names}


# -- history --------------------------------------------------------------------------------------------------------


def _customer(written: _CustomerNode, *, at: datetime, problems: list[Problem]) -> CustomerFacts:
    """The customer; not new when anything of theirs is known from before."""
    tickets = _tickets(written.tickets, at=at, problems=problems)
    is_known = bool(tickets or written.open_tickets or written.last_rating)
    given = {**msgspec.structs.asdict(written), "tickets": tickets}
    del given["known_since"]
    if written.first_contact is None:
        given["first_contact"] = not is_known
    return CustomerFacts(**given)


def _tickets(node: Node | None, *, at: datetime, problems: list[Problem]) -> tuple[datetime, ...]:
    """`3`: so many of the last hour; `[2d, 5h, 2026-01-02]`: how long ago, or when. Newest first."""
    if node is None:
        return ()
    if isinstance(node.value, int) and not isinstance(node.value, bool) and 0 <= node.value <= _MAX_TICKETS:
        return tuple(at - timedelta(seconds=30 * (each + 1)) for each in range(node.value))
    if not node.is_list:
        hint = "like 2, or [3h, 2d, 2026-01-02T09:00Z]"
        problems.append(
            node.problem("wrong-type", f"'tickets' wants earlier tickets, got {said(node)}", hint)
        )
        return ()
    found = (_instant_before(each, at=at, problems=problems) for each in node.value)
    return tuple(sorted(found, reverse=True))


def _instant_before(node: Node, *, at: datetime, problems: list[Problem]) -> datetime:
    """`2d` before, an instant, or a date, whose midnight is UTC's."""
    seconds = seconds_from(str(node.value))
    if seconds is not None:
        return at - timedelta(seconds=seconds)
    try:
        return datetime.combine(date.fromisoformat(str(node.value)), time(), tzinfo=UTC)
    except ValueError:
        return read_instant(node, problems)
