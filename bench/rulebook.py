"""The shipped rulebook with 200 rules more, of the kinds an admin writes: senders, words, headers, languages."""

from typing import Any

import yaml

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
    """Write the rulebook. The added rules stand first, so that each mail is held against all of them."""
    rules: dict[str, Any] = yaml.safe_load(SHIPPED.read_text())
    team = next(iter(rules["teams"]))
    rules["route"] = [_rule(number, team) for number in range(RULES)] + list(rules.get("route") or ())
    rules.pop("tests", None)
    return yaml.safe_dump(rules, allow_unicode=True, sort_keys=False)


def _rule(number: int, team: str) -> dict[str, Any]:
    word = f"{_WORDS[number % 10]} {number}"
    conditions: tuple[dict[str, Any], ...] = (
        {"sender.domain": f"partner{number}.example"},
        {"subject": {"contains": word}},
        {"text": {"words": [word, f"case {number}"]}},
        {"language": _LANGUAGES[number % 6], "subject": {"contains": f"#{number}"}},
        {"header.x-mailer": {"contains": f"robot-{number}"}},
    )
    return {
        "id": f"generated-{number}",
        "when": conditions[number % 5],
        "then": {"team": team, "tags": [f"g{number}"]},
    }
