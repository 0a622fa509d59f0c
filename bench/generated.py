"""Rulebooks and messages of any size, always the same ones for the same numbers: what an admin of a large desk piles up.

Each rule is known by its tests, so that it can be written for several engines; a smaller rulebook is the beginning of
a larger one.
"""

import random
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from routing import folding
from routing.facts import Facts, SenderFacts

_SEED = 20261122
_LANGUAGES = ("en", "de", "pl", "el", "pt", "es", "fr")
_CHANNELS = ("email", "chat", "sms")
_SYLLABLES = (
    "ba", "ce", "dro", "fi", "gan", "hel", "ix", "jo", "kra", "lum", "mer", "nov", "ost", "pri", "qua", "rem", "sti",
    "tor", "ulv", "wex", "zen", "ął", "śni", "ção", "ñe", "λο", "ρια", "ür",
)  # fmt: skip
_COMMON = (
    "hello", "please", "thank", "you", "regards", "dear", "team", "we", "our", "your", "have", "has", "not",
    "does", "when", "since", "yesterday", "today", "order", "account", "number", "email", "phone", "question",
    "help", "problem", "working", "invoice", "delivery", "address", "change", "cannot", "could", "would",
    "like", "from", "with", "about", "again", "still", "after", "before", "morning", "week", "month",
    "answer", "soon", "possible", "kind", "best", "info", "website", "page", "screen", "error",
)  # fmt: skip
_VOCABULARY = 12_000  # words that rules ask for
_PARTNERS = 4_000  # domains of known senders
_ENRICHING = 0.2  # share of the rules
_SHARE_OF_ASKED_WORDS = 0.012  # of a message's words: how many of them some rule may ask for
_FOLLOWED_BY_A_NUMBER = 0.3

Op = Literal["one_of", "words", "regex"]
_Test = tuple[str, Op, tuple[str, ...]]


class GeneratedRule(msgspec.Struct, frozen=True):
    """tests: (fact, kind of test, values); all of them must hold."""

    id: str
    stage: Literal["enrich", "route"]
    tests: tuple[_Test, ...]


class GeneratedMessage(msgspec.Struct, frozen=True):
    """facts: as our rules look at it. context: the same for other engines, text folded as ours is."""

    facts: Facts
    context: dict[str, Any]


def rules(number: int) -> list[GeneratedRule]:
    """So many rules; the first ones of a longer list are those of a shorter one."""
    chance = random.Random(_SEED)
    words = _words()
    return [_rule(position, chance, words) for position in range(number)]


def messages(number: int) -> list[GeneratedMessage]:
    """So many mails, texts and chats of 20 to 400 words."""
    chance = random.Random(_SEED + 1)
    words = _words()
    return [_message(chance, words) for _ in range(number)]


def _words() -> list[str]:
    chance = random.Random(_SEED + 2)
    found: dict[str, None] = {}
    while len(found) < _VOCABULARY:
        found["".join(chance.choice(_SYLLABLES) for _ in range(chance.randint(3, 5)))] = None
    return list(found)


def _word(chance: random.Random, words: list[str]) -> str:
    """One word: the first ones are the most usual, as in any language."""
    return words[int(len(words) * chance.random() ** 2)]


def _rule(position: int, chance: random.Random, words: list[str]) -> GeneratedRule:
    stage: Literal["enrich", "route"] = "enrich" if chance.random() < _ENRICHING else "route"
    kind = chance.choices(tuple(_KINDS), weights=tuple(_KINDS.values()))[0]
    return GeneratedRule(f"rule-{position}", stage, kind(chance, words))


def _by_words(chance: random.Random, words: list[str]) -> tuple[_Test, ...]:
    found = []
    for word in (_word(chance, words) for _ in range(chance.randint(1, 4))):
        form = chance.random()
        found.append(
            f"{word} {_word(chance, words)}" if form < 0.3 else f"{word[:6]}*" if form < 0.4 else word
        )
    return (("text", "words", tuple(found)),)


def _by_words_and_more(chance: random.Random, words: list[str]) -> tuple[_Test, ...]:
    other: _Test = ("language", "one_of", (chance.choice(_LANGUAGES),))
    if chance.random() < 0.5:
        other = ("channel", "one_of", tuple(chance.sample(_CHANNELS, 2)))
    return (other, *_by_words(chance, words))


def _by_subject(chance: random.Random, words: list[str]) -> tuple[_Test, ...]:
    return (("subject", "words", (_word(chance, words), _word(chance, words))),)


def _by_address(chance: random.Random, words: list[str]) -> tuple[_Test, ...]:
    del words
    addresses = (f"{_person(chance)}@{_domain(chance)}" for _ in range(chance.randint(1, 3)))
    return (("sender.address", "one_of", tuple(addresses)),)


def _by_domain(chance: random.Random, words: list[str]) -> tuple[_Test, ...]:
    own: _Test = ("sender.domain", "one_of", (_domain(chance),))
    return (own,) if chance.random() < 0.5 else (own, *_by_words(chance, words))


def _by_pattern(chance: random.Random, words: list[str]) -> tuple[_Test, ...]:
    return (("text", "regex", (rf"\b{_word(chance, words)}\s+#?\d{{3,6}}\b",)),)


_KINDS = {
    _by_words: 30, _by_words_and_more: 20, _by_subject: 10, _by_address: 18, _by_domain: 20, _by_pattern: 2,
}  # fmt: skip


def _domain(chance: random.Random) -> str:
    return f"partner{chance.randrange(_PARTNERS)}.example"


def _person(chance: random.Random) -> str:
    return f"person{chance.randrange(12)}"


def _message(chance: random.Random, words: list[str]) -> GeneratedMessage:
    domain = _domain(chance) if chance.random() < 0.5 else f"home{chance.randrange(50)}.example"
    facts = Facts(
        at=datetime(2026, 11, chance.randint(2, 6), chance.randint(8, 15), tzinfo=UTC),
        channel=chance.choices(_CHANNELS, weights=(80, 15, 5))[0],
        account="support",
        subject=_prose(chance, words, chance.randint(2, 8)),
        body=_prose(chance, words, chance.randint(20, 400)),
        language=chance.choice(_LANGUAGES),
        sender=SenderFacts(address=f"{_person(chance)}@{domain}", domain=domain),
    )
    whole = folding.bounded(facts.subject, facts.body).strip()
    context = {
        "text": folding.fold(whole),
        "subject": folding.fold(facts.subject),
        "raw": whole,
        "address": facts.sender.address,
        "domain": domain,
        "channel": facts.channel,
        "language": facts.language,
    }
    return GeneratedMessage(facts, context)


def _prose(chance: random.Random, words: list[str], count: int) -> str:
    said = []
    for _ in range(count):
        if chance.random() >= _SHARE_OF_ASKED_WORDS:
            said.append(chance.choice(_COMMON))
            continue
        said.append(_word(chance, words).capitalize())
        if chance.random() < _FOLLOWED_BY_A_NUMBER:
            said.append(f"#{chance.randrange(100, 999_999)}")
    return " ".join(said).capitalize() + "."


# -- as our rulebook ------------------------------------------------------------------------------------------------

_HEAD = """version: 1
calendars:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "08:00-17:00"}}
agents:
  ania: {email: ania@desk.example}
  ewa: {email: ewa@desk.example}
teams:
  support: {levels: {l1: [ania], lead: [ewa]}}
  billing: {levels: {l1: [ewa], lead: [ania]}}
sla:
  standard: {calendar: office, first_response: 4h, resolution: 3 working days, pause: [pending], ladder: nudge}
ladders:
  nudge:
    - {at: first_response breach, notify: lead}
    - {at: resolution breach, notify: lead}
"""
_DEFAULT = "default: {team: support, priority: normal, sla: standard}\n"


def rulebook_text(generated: list[GeneratedRule]) -> str:
    """The rules in our language, each on one line."""
    sections = [
        f"{stage}:\n" + "".join(_line(rule) for rule in generated if rule.stage == stage)
        for stage in ("enrich", "route")
        if any(rule.stage == stage for rule in generated)
    ]
    return _HEAD + "".join(sections) + _DEFAULT


def _line(rule: GeneratedRule) -> str:
    tests = ", ".join(_written(*test) for test in rule.tests)
    number = rule.id.removeprefix("rule-")
    then = f"tags: [t{number}]" if rule.stage == "enrich" else "team: billing, priority: high"
    return f"  - {{id: {rule.id}, when: {{{tests}}}, then: {{{then}}}}}\n"


def _written(fact: str, op: Op, values: tuple[str, ...]) -> str:
    if op == "regex":
        return f"{fact}.regex: '{values[0]}'"
    name = f"{fact}.words" if op == "words" else fact
    quoted = ", ".join(f'"{value}"' for value in values)
    return f"{name}: [{quoted}]"
