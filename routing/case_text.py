"""How the admin's own tests are written: YAML nodes -> situations and what is expected of them.

The same reader takes the object that `intake route --kind json` reads: a test without name and expectations.
"""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from routing.durations import seconds_from
from routing.facts import AgentLoad, AttachmentFacts, CustomerFacts, Facts, SenderFacts
from routing.naming import check_name, without_later
from routing.problems import Problem, did_you_mean
from routing.sla import TARGETS
from routing.typed import convert, said
from routing.yaml_text import Node

WHEN_NOT_SAID = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)  # a Wednesday
EXPECTABLE = (
    "rule", "matched", "team", "level", "agent", "priority", "sla", "tags", "nature", "language", "status",
    "reply", "notify", "note", "ignore", "spam", *(f"due.{target}" for target in TARGETS),
)  # fmt: skip
_LATER_MESSAGE_KEYS = ("form", "call")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,}\Z")


class Situation(msgspec.Struct, frozen=True):
    """A message at an instant. has_language: whether the language was said; else it is to be detected.

    lists: values that replace the rulebook's for this situation.
    """

    facts: Facts
    has_language: bool
    lists: dict[str, tuple[str, ...]] = {}


class Expectation(msgspec.Struct, frozen=True):
    """A field of the outcome and what it should, or must not, be. value: JSON."""

    field: str
    value: Any
    node: Node


class TimelineEntry(msgspec.Struct, frozen=True):
    """What is expected so many seconds after the message: "action value" texts."""

    offset_s: int
    text: str
    actions: tuple[str, ...]
    node: Node


class Case(msgspec.Struct, frozen=True):
    """One of the admin's tests. exactly: nothing else may happen than what `expect` and `timeline` say."""

    name: str
    node: Node
    situation: Situation
    expect: tuple[Expectation, ...] = ()
    never: tuple[Expectation, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    exactly: bool = False


class _AttachmentNode(msgspec.Struct, frozen=True):
    name: str = ""
    type: str = ""
    size: int = 0


class _MessageNode(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    channel: str
    account: str = ""
    from_: Node | None = None
    name: str | None = None
    phone: str | None = None
    to: Node | None = None
    cc: Node | None = None
    verified: bool = False
    language: str | None = None
    subject: str = ""
    body: str = ""
    quoted: str = ""
    attachments: tuple[_AttachmentNode, ...] = ()
    automatic: bool | str | None = None
    headers: dict[str, str | tuple[str, ...]] = {}
    spam_score: float | None = None


class _CustomerNode(msgspec.Struct, frozen=True):
    organization: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    open_tickets: int = 0
    first_contact: bool = True


class _GivenNode(msgspec.Struct, frozen=True):
    away: tuple[str, ...] = ()
    load: dict[str, dict[str, int]] = {}
    customer: _CustomerNode = _CustomerNode()


class _SituationNode(msgspec.Struct, frozen=True):
    message: Node
    at: Node | None = None
    given: Node | None = None
    lists: dict[str, tuple[str, ...]] = {}


class _CaseNode(msgspec.Struct, frozen=True):
    name: str
    message: Node
    at: Node | None = None
    given: Node | None = None
    lists: dict[str, tuple[str, ...]] = {}
    expect: Node | None = None
    never: Node | None = None
    timeline: Node | None = None
    exactly: bool = False


class People(msgspec.Struct, frozen=True):
    """What a situation may name."""

    agents: frozenset[str]
    lists: frozenset[str]


def read_cases(nodes: Collection[Node], people: People, problems: list[Problem]) -> tuple[Case, ...]:
    """Every test that could be read, in file order."""
    cases: list[Case] = []
    for node in nodes:
        if not node.is_list:
            problems.append(node.problem("wrong-type", f"'tests' is a list, got {said(node)}"))
            continue
        cases.extend(case for each in node.value if (case := _read_case(each, people, problems)))
    return tuple(cases)


def _read_case(node: Node, people: People, problems: list[Problem]) -> Case | None:
    before = len(problems)
    written = convert(without_later(node, ("steps",), problems), _CaseNode, problems=problems, partial=True)
    if written is None:
        return None
    situation = _situation(written, node, people, problems)
    case = Case(
        written.name,
        node,
        situation,
        _read_expectations(written.expect, problems),
        _read_expectations(written.never, problems),
        _read_timeline(written.timeline, problems),
        written.exactly,
    )
    return case if len(problems) == before else None


def read_situation(node: Node, people: People, problems: list[Problem]) -> Situation | None:
    """`{"message": {…}, "at": …, "given": …, "lists": …}`; None when there is a problem."""
    before = len(problems)
    written = convert(node, _SituationNode, problems=problems)
    if written is None:
        return None
    situation = _situation(written, node, people, problems)
    return situation if len(problems) == before else None


def _situation(
    written: _CaseNode | _SituationNode, node: Node, people: People, problems: list[Problem]
) -> Situation:
    at = _read_instant(written.at, problems) if written.at else WHEN_NOT_SAID
    message = convert(
        without_later(written.message, _LATER_MESSAGE_KEYS, problems), _MessageNode, problems=problems
    )
    given = convert(written.given, _GivenNode, problems=problems) if written.given else _GivenNode()
    _check_known(written.lists, people.lists, "list", node, problems)
    if message is None or given is None:
        return Situation(Facts(at=WHEN_NOT_SAID), has_language=True)
    _check_known((*given.away, *given.load), people.agents, "agent", node, problems)
    facts = _facts(message, given, at=at, problems=problems)
    has_language = isinstance(written.message.value, dict) and "language" in written.message.value
    return Situation(facts, has_language, written.lists)


def _check_known(
    names: Iterable[str], known: Collection[str], what: str, node: Node, problems: list[Problem]
) -> None:
    unknown = (name for name in names if name not in known)
    problems.extend(
        node.problem(f"unknown-{what}", f"no {what} '{name}'", did_you_mean(name, known)) for name in unknown
    )


def _read_instant(node: Node, problems: list[Problem]) -> datetime:
    try:
        at = datetime.fromisoformat(str(node.value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        hint = "write it like 2026-11-10T17:30+01:00"
        problems.append(node.problem("bad-instant", f"no instant with its time zone {said(node)}", hint))
        return WHEN_NOT_SAID
    return at.astimezone(UTC)


def _facts(message: _MessageNode, given: _GivenNode, *, at: datetime, problems: list[Problem]) -> Facts:
    address, phone = _sender(message, problems)
    return Facts(
        at=at,
        channel=message.channel,
        account=message.account,
        recipient=tuple(
            each.lower() for each in (*_texts(message.to, problems), *_texts(message.cc, problems))
        ),
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
        sender=SenderFacts(
            address=address,
            domain=address.rpartition("@")[2] if address else None,
            name=message.name,
            phone=message.phone or phone,
            verified=message.verified,
        ),
        customer=CustomerFacts(**msgspec.structs.asdict(given.customer)),
        agents=_loads(given),
    )


def _sender(message: _MessageNode, problems: list[Problem]) -> tuple[str | None, str | None]:
    """Address and phone number of `from`."""
    senders = _texts(message.from_, problems)
    if not senders:
        return None, None
    if _PHONE.match(senders[0]):
        return None, senders[0]
    return senders[0].lower(), None


def _texts(node: Node | None, problems: list[Problem]) -> tuple[str, ...]:
    if node is None:
        return ()
    found = []
    for each in node.value if node.is_list else (node,):
        if isinstance(each.value, str):
            found.append(each.value)
        else:
            problems.append(
                each.problem("wrong-type", f"wanted an address, got {said(each)}", "put it in quotes")
            )
    return tuple(found)


def _automatic(value: bool | str | None) -> str | None:  # noqa: FBT001 - YAML writes it so
    if isinstance(value, str):
        return None if value == "none" else value
    return "auto_reply" if value else None


def _loads(given: _GivenNode) -> dict[str, AgentLoad]:
    names = dict.fromkeys((*given.away, *given.load))
    return {name: AgentLoad(given.load.get(name, {}), away=name in given.away) for name in names}


def _read_expectations(node: Node | None, problems: list[Problem]) -> tuple[Expectation, ...]:
    if node is None:
        return ()
    if not isinstance(node.value, dict):
        problems.append(node.problem("wrong-type", f"wanted {{team: NAME}} or the like, got {said(node)}"))
        return ()
    found = []
    for field, child in node.value.items():
        if field not in EXPECTABLE:
            hint = did_you_mean(field, EXPECTABLE)
            problems.append(node.keys[field].problem("unknown-key", f"a test can't ask for '{field}'", hint))
        elif field.startswith("due.") and child.value not in ("none", "any"):
            found.append(Expectation(field, _read_instant(child, problems).isoformat(), child))
        else:
            found.append(Expectation(field, child.plain_value(), child))
    return tuple(found)


def _read_timeline(node: Node | None, problems: list[Problem]) -> tuple[TimelineEntry, ...]:
    if node is None:
        return ()
    if not isinstance(node.value, dict):
        problems.append(node.problem("wrong-type", f'wanted {{"+15m": notify lead}}, got {said(node)}'))
        return ()
    found = []
    for key, child in node.value.items():
        offset_s = seconds_from(key[1:]) if key.startswith("+") else None
        if offset_s is None:
            problems.append(
                node.keys[key].problem("bad-length", f"no offset '{key}'", 'write it like "+15m"')
            )
            continue
        found.append(TimelineEntry(offset_s, key, _read_happenings(child, problems), child))
    return tuple(found)


def _read_happenings(node: Node, problems: list[Problem]) -> tuple[str, ...]:
    kinds: Iterable[Literal["notify", "level", "priority", "tags", "breach"]] = (
        "notify", "level", "priority", "tags", "breach",
    )  # fmt: skip
    found = []
    for each in node.value if node.is_list else (node,):
        words = each.value.split() if isinstance(each.value, str) else []
        if len(words) == 2 and check_name(
            msgspec.structs.replace(each, value=words[0], text=words[0]), kinds, "action", problems
        ):
            found.append(" ".join(words))
        elif len(words) != 2:
            problems.append(each.problem("wrong-type", f"wanted 'notify lead' or the like, got {said(each)}"))
    return tuple(found)
