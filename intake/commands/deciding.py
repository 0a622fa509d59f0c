"""What would happen to a message: facts from a file, the decision of the rules, and how it is told. Writes nothing."""

import json
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Message, RawMessage
from channels.email import message as mail
from channels.language import detect
from intake import customers, explaining, facts, instants, pipeline
from intake.keys import KEY_BYTES, Keys, KeysFile
from intake.model import Account, Arrival, Context, Customer, Received
from intake.settings import Settings
from intake.store import opening, schema, sqlite
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import cases, explain, simulation, yaml_text
from routing.case_text import Case, People, read_played, read_situation
from routing.decision import Decision, decide, decision_json
from routing.facts import Facts
from routing.problems import ConfigError, Problem
from routing.rulebook import Rulebook

_i = schema.identities.c
_KNOWN_AS = Statement(
    select(_i.customer_id).where(_i.kind == bindparam("kind"), _i.value == bindparam("value"))
)


def language_of(text: str) -> str | None:
    return detect(text, mail.DEFAULT_LANGUAGES)


def situation(text: str, *, file: str, rulebook: Rulebook) -> tuple[Rulebook, Facts]:
    """Read `{"message": …, "at": …, "given": …, "lists": …}` and give the rulebook and the facts it means.

    Raises: ConfigError with every problem.
    """
    problems: list[Problem] = []
    node = yaml_text.read(_as_yaml(text), file=file)
    found = read_situation(node, _people(rulebook), problems)
    if found is None or problems:
        raise ConfigError(problems)
    book = cases.on_duty(cases.with_lists(rulebook, found))
    return book, cases.facts_of(found, detect_language=language_of)


def case(text: str, *, file: str, rulebook: Rulebook) -> Case:
    """Read a situation with its steps, written as one of the tests of the rules. Raises: ConfigError with every problem."""
    problems: list[Problem] = []
    node = yaml_text.read(_as_yaml(text), file=file)
    found = read_played(node, _people(rulebook), problems)
    if found is None or problems:
        raise ConfigError(problems)
    return found


def _people(rulebook: Rulebook) -> People:
    lists = frozenset(rulebook.lists) | rulebook.kept
    return People(frozenset(rulebook.agents), lists, frozenset(rulebook.teams))


def _as_yaml(text: str) -> str:
    r"""Rewrite JSON whose escapes YAML reads differently (\/ and pairs of \u); anything else stays as it is."""
    if "\\u" not in text and "\\/" not in text and "\t" not in text:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except ValueError:
        return text


def facts_of(
    settings: Settings, rulebook: Rulebook, raw: RawMessage, message: Message, *, at: datetime
) -> Facts:
    """Give the facts that the rules would see at an instant, with what the store knows of sender and agents."""
    context = context_of(rulebook)
    received = Received(id=0, raw=raw)
    recipients = pipeline.recipients_of(received, message)

    def look(tx: Tx) -> Facts:
        arrival = Arrival(
            received=received,
            message=message,
            account=Account(raw.account, raw.kind, message.kind),
            customer=_customer(tx, message, at),
            recipients=recipients,
        )
        return facts.of_arrival(tx, context, arrival)

    if settings.store or (settings.folder / sqlite.FILE).exists():
        store = opening.open_store(settings.store, settings.folder)
        try:
            seen = store.read_now(look)
        finally:
            store.close()
    else:
        seen = look(_Nothing(lambda *_: _Empty(), now=0, ids=None))  # type: ignore[arg-type]
    return msgspec.structs.replace(seen, at=at)


def context_of(rulebook: Rulebook) -> Context:
    """Give what facts are filled with; it signs nothing, so its key is none."""
    key = bytes(KEY_BYTES)
    return Context(
        rulebook=rulebook, armaments={}, accounts={}, keys=Keys(KeysFile({"a": key}, key)), replies=None
    )


class _Empty:
    """The cursor of a store that does not exist yet."""

    def fetchone(self) -> None:
        return None

    def fetchall(self) -> list[Any]:
        return []


class _Nothing(Tx):
    """A look at a store that does not exist yet: it holds nothing, and none is made for a question."""

    engine = "sqlite"

    def _lock(self, kind: str, key: str) -> None:
        """Nothing to lock."""


def _customer(tx: Tx, message: Message, at: datetime) -> Customer:
    sender = message.sender
    row = tx.one(_KNOWN_AS, kind=sender.kind, value=sender.value) if sender is not None else None
    if row is not None:
        return customers.load(tx, int(row[0]))
    name = message.from_.name if message.from_ is not None else ""
    return Customer(0, name, message.language, None, (), instants.us_from_datetime(at), is_new=True)


def decided(rulebook: Rulebook, seen: Facts) -> tuple[Decision, dict[str, datetime]]:
    """Decide, and tell when each target would be due."""
    decision = decide(rulebook, seen)
    clocks = simulation.armed(rulebook, decision, at=seen.at)
    return decision, {clock.target: clock.due_at for clock in clocks if clock.due_at is not None}


def public(
    rulebook: Rulebook, seen: Facts, decision: Decision, due: dict[str, datetime], *, has_why_not: bool
) -> dict[str, Any]:
    """Give the JSON of `intake route`."""
    value = decision_json(decision, due)
    if has_why_not:
        told = explain.explained(rulebook, seen, decision)
        value["reasons"] = explaining.with_places(rulebook, value["reasons"])
        value["why_not"] = explaining.with_places(rulebook, told.why_not)
        value["steps"] = msgspec.to_builtins(told.ladder)
    return value


def shortened(value: Any) -> str:
    """Write a value as JSON, cut at 80 characters."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:77]}…"
