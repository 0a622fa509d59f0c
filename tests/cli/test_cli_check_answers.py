"""Check names what is wrong in templates, in what stands around answers, and in keys that sign."""

import json
from pathlib import Path

from tests.cli.conftest import Intake


def test_each_mistake_in_each_template_at_its_line(intake: Intake, desk: Path) -> None:
    replies = desk / "config" / "replies"
    (replies / "received.en.md").write_text("Subject: Hello\n\nDear {{ custmer.name }},\n{{ 'a' * 10**9 }}\n")
    (replies / "received.de.md").write_text("{% if %}\n")
    done = intake("check")
    assert done.code == 2
    assert "config/replies/received.en.md:3:1: error" in done.out
    assert "did you mean 'customer.name'?" in done.out
    assert "config/replies/received.en.md:4:1: error" in done.out
    assert "config/replies/received.de.md:1:1: error" in done.out


def test_agents_and_teams_that_the_rules_do_not_have(intake: Intake, desk: Path) -> None:
    settings = desk / "config" / "intake.yaml"
    settings.write_text(
        settings.read_text()
        + "\nanswers:\n  names: {ana: Anna}\n  signatures: {suport: Your team, billing: x}\n"
    )
    done = intake("check", "--json")
    assert done.code == 2
    assert [each["code"] for each in map(_read, done.out.splitlines())] == ["unknown-agent", "unknown-team"]


def test_a_key_that_cannot_sign(intake: Intake, desk: Path) -> None:
    settings = desk / "config" / "intake.yaml"
    key = "\n  dkim: [{domain: example.com, selector: s, key_file: nowhere.pem}]\n"
    settings.write_text(settings.read_text().rstrip() + key)
    done = intake("check")
    assert done.code == 2
    assert "the dkim key nowhere.pem cannot be read" in done.out


def _read(line: str) -> dict[str, str]:

    found: dict[str, str] = json.loads(line)
    return found
