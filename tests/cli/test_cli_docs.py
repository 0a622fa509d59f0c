"""What the documents say is what the program does."""

import argparse
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels import form, webchat
from channels import webhook as source
from channels.email import imap, send, smtp, webhook
from channels.twilio import sms, voice, whatsapp
from intake import cli, settings
from routing import action_text, condition_text, fact_table
from tests.rows import every_row

REPOSITORY = Path(__file__).parents[2]
FENCED = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def keys_of(type_: Any, prefix: str = "", above: tuple[Any, ...] = ()) -> Iterator[str]:
    """Every key of a struct and of the structs in it, dotted. above: those that this one is in, which are not told again."""
    for field in msgspec.structs.fields(type_):
        name = f"{prefix}{field.encode_name}"
        members = [field.type, *getattr(field.type, "__args__", ())]
        inner = [each for each in members if isinstance(each, type) and issubclass(each, msgspec.Struct)]
        inner = [each for each in inner if each not in (type_, *above)]
        parts = [each for each in inner if each.__module__ != "routing.yaml_text"]
        if not parts or field.encode_name == "outgoing":
            yield name
        for part in parts:
            if field.encode_name != "outgoing":
                yield from keys_of(part, f"{name}.", (type_, *above))


def every_key() -> list[str]:
    return [
        *keys_of(settings.File),
        *keys_of(smtp.Options, "channels.NAME."),
        *keys_of(webhook.Options, "channels.NAME."),
        *keys_of(imap.Options, "channels.NAME."),
        *keys_of(form.Options, "channels.NAME."),
        *keys_of(source.Options, "channels.NAME."),
        *keys_of(webchat.Options, "channels.NAME."),
        *keys_of(sms.Options, "channels.NAME."),
        *keys_of(voice.Options, "channels.NAME."),
        *keys_of(whatsapp.Options, "channels.NAME."),
        "channels.NAME.kind",
        *keys_of(send.Options, "outgoing."),
    ]


@every_row("key", every_key())
def test_every_settings_key_is_documented(key: str) -> None:
    assert f"| `{key}` |" in text("docs/configuration.md")


def test_every_documented_settings_key_exists() -> None:
    documented = set(re.findall(r"^\| `([a-zA-Z_.]+)` \|", text("docs/configuration.md"), re.MULTILINE))
    top = {field.encode_name for field in msgspec.structs.fields(settings.File)}
    assert documented - set(every_key()) - top == set()


def test_every_yaml_block_of_the_configuration_guide_is_valid(tmp_path: Path) -> None:
    blocks = [block for kind, block in FENCED.findall(text("docs/configuration.md")) if kind == "yaml"]
    assert blocks
    for block in blocks:
        rest = "" if "channels:" in block else "channels: {a: {kind: email.smtp}}\n"
        (tmp_path / "intake.yaml").write_text(block + rest)
        assert settings.load(
            tmp_path / "intake.yaml",
            {
                "RELAY_PASSWORD": "x",
                "MAILBOX_PASSWORD": "x",
                "HOOK_SECRET": "x" * 16,
                "TWILIO_AUTH_TOKEN": "x",
            },
        ).channels


@every_row(
    "word",
    [
        *fact_table.FIELDS,
        *(f"ticket.{each}" for each in fact_table.DECIDED),
        *condition_text._OPERATORS,
        *action_text.ACTIONS,
    ],
)
def test_every_word_of_the_rule_language_is_documented(word: str) -> None:
    tables = "\n".join(line for line in text("docs/rules.md").splitlines() if line.startswith("| `"))
    assert f"`{word}`" in tables


def actions_of(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield f"`{name} {word}"
                yield from actions_of(inner, f"{name} {word}")
        else:
            yield from (option for option in action.option_strings if option.startswith("--"))


@every_row("command", cli.COMMANDS)
def test_every_command_and_option_is_documented(command: str) -> None:
    module = importlib.import_module(f"intake.commands.{command}")
    parser = argparse.ArgumentParser(prog=f"intake {command}")
    module.configure(parser)
    section = text("docs/cli.md").split(f"## intake {command}\n")[1].split("\n## ")[0]
    common = {"--help", "--config"}
    assert [
        each for each in actions_of(parser, f"intake {command}") if each not in section and each not in common
    ] == []


@every_row(
    "name",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/configuration.md",
        "docs/access.md",
        "docs/operating.md",
        "docs/on-call.md",
        "docs/phone.md",
        "docs/escalation.md",
        "docs/forms-and-webhooks.md",
        "docs/assignment.md",
        "docs/cli.md",
        "docs/rules.md",
        "docs/clocks.md",
        "docs/from-zendesk.md",
    ],
)
def test_links_and_commands_of_a_document_lead_somewhere(name: str) -> None:
    said = text(name)
    for target in re.findall(r"\]\(([^)#:]+)\)", said):
        assert ((REPOSITORY / name).parent / target).exists(), target
    for command in re.findall(r"`(?:\.venv/bin/)?intake ([a-z]+)", said):
        assert command in cli.COMMANDS, command
    for target in re.findall(r"`make ([a-z-]+)", said):
        assert re.search(rf"^{target}:", text("Makefile"), re.MULTILINE), target


def test_the_readme_starts_with_two_commands() -> None:
    shell = [block.strip() for kind, block in FENCED.findall(text("README.md")) if kind == "sh"]
    assert shell[:2] == ["make run", ".venv/bin/intake demo --once"]


def test_no_pin_names_an_index_and_all_have_hashes() -> None:
    for name in ("base", "dev", "extras"):
        pins = text(f"requirements/{name}.txt")
        assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links", pins)
        wanted = re.findall(r"^([a-z0-9-]+)==", pins, re.MULTILINE)
        assert len(wanted) > 5
        for block in re.split(r"^(?=[a-z0-9-]+(?:\[[a-z,]+\])?==)", pins, flags=re.MULTILINE)[1:]:
            assert "--hash=sha256:" in block, block[:40]


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    pins = text("requirements/base.txt")
    for dependency in project["dependencies"]:
        name = re.match(r"[a-z0-9-]+", dependency)
        assert name is not None
        assert f"\n{name[0]}==" in pins


@pytest.mark.slow
def test_the_wheel_holds_the_program_and_the_starter_configuration(tmp_path: Path) -> None:
    import zipfile

    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(REPOSITORY),
    ]
    subprocess.run(command, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "intake/starter/intake.yaml", "intake/starter/rules.yaml", "intake/starter/replies/received.en.md",
        "intake/py.typed", "channels/py.typed", "routing/py.typed", "intake/commands/demo.py",
        "intake/store/migrations/env.py", "channels/email/smtp.py",
    ):  # fmt: skip
        assert wanted in names
    tops = {name.split("/")[0] for name in names}
    assert {each for each in tops if not each.endswith(".dist-info")} == {"intake", "channels", "routing"}
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert wheel.stat().st_size < 5_000_000
