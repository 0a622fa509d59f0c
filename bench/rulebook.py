"""The shipped rulebook with 200 rules more, of the kinds an admin writes: senders, words, headers, languages."""

import re

from tests.torture import daemons

SHIPPED = daemons.ROOT / "config" / "rules.yaml"
RULES = 200
_WORDS = (
    "invoice",
    "refund",
    "parcel",
    "password",
    "outage",
    "contract",
    "warranty",
    "delivery",
    "Kündigung",
    "faktura",
)
_LANGUAGES = ("de", "pl", "fr", "es", "it", "nl")


def text() -> str:
    """Write the rulebook. The added rules stand first, so that each mail is held against all of them.

    Its own tests are left out: they name the rules that decide without the added ones.
    """
    shipped, _, _ = SHIPPED.read_text().partition("\ntests:")
    rules = "".join(_rule(number) for number in range(RULES))
    whole, places = re.subn(r"(?m)^route:.*\n", lambda found: found.group() + rules, shipped, count=1)
    if not places:
        raise ValueError(f"{SHIPPED} has no section route: to put the rules into")
    return whole


def _rule(number: int) -> str:
    word = f"{_WORDS[number % 10]} {number}"
    conditions = (
        f"{{sender.domain: partner{number}.example}}",
        f'{{subject.words: ["{word}"]}}',
        f'{{text.words: ["{word}", "case {number}"]}}',
        f'{{language: {_LANGUAGES[number % 6]}, subject.words: ["ticket {number}"]}}',
        f'{{text.regex: "order {number}-[0-9]+"}}',
    )
    return f"  - {{id: generated-{number}, when: {conditions[number % 5]}, then: {{team: support, tags: [g{number}]}}}}\n"
