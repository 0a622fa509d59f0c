"""Sets up numbers at Twilio, and writes the files that answer for us while we are down."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from channels import contract, loading
from channels.twilio import fallback, probe, setup
from channels.twilio import settings as twilio
from channels.twilio.api import Api, ApiError
from intake import cli, redaction, terminal
from intake.commands import options, output
from intake.settings import Settings

KINDS = "twilio."
LONGEST_S = 180


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of an account. state: "right", "wrong", "set", "failed", "hint", "warning"; hint: what to do."""

    account: str
    state: str
    message: str
    hint: str = ""
    number: str | None = None
    setting: str | None = None
    is_: str | None = msgspec.field(default=None, name="is")
    should: str | None = None

    @property
    def is_wrong(self) -> bool:
        return self.state in ("wrong", "failed")


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    text = "tell Twilio where the webhooks of each number are; what is right already is left alone"
    chosen = options.subcommand(commands, "setup", set_up, text)
    chosen.add_argument("accounts", nargs="*", metavar="ACCOUNT", help="default: every account of Twilio")
    chosen.add_argument("--check", action="store_true", help="change nothing: say what is wrong")
    chosen.add_argument(
        "--dry-run", action="store_true", dest="check", help="the same: say what would be changed"
    )
    options.add_json(chosen)
    files = options.subcommand(
        commands, "fallback", write_files, "write the files for a second host, which takes voicemails for us"
    )
    files.add_argument("folder", metavar="DIR")


run = options.run_subcommand


def set_up(arguments: argparse.Namespace) -> int:
    settings = options.load_settings(arguments)
    names = _chosen(settings, arguments.accounts)
    lines = asyncio.run(_all(settings, names, is_check=arguments.check))
    for line in lines:
        _say(line, is_json=arguments.is_json)
    return cli.FAILED if any(line.is_wrong for line in lines) else 0


def _chosen(settings: Settings, asked: Sequence[str]) -> list[str]:
    """Raises: cli.WrongInput."""
    known = [name for name, each in settings.channels.items() if each.kind.startswith(KINDS)]
    for name in asked:
        if name not in known:
            raise cli.WrongInput(f"'{name}' is no account of Twilio: there is {', '.join(known) or 'none'}")
    if not known:
        raise cli.WrongInput("no account of intake.yaml is of a kind twilio.…: docs/phone.md shows one")
    return list(asked) or known


async def _all(settings: Settings, names: Sequence[str], *, is_check: bool) -> list[Line]:
    return [line for name in names for line in await _account(settings, name, is_check=is_check)]


async def _account(settings: Settings, name: str, *, is_check: bool) -> list[Line]:
    """Look at one account, and change what differs unless it is only checked."""
    chosen = settings.channels[name]
    given: twilio.Options = chosen.options
    medium: setup.Medium = loading.module_for(chosen.kind).MEDIUM  # type: ignore[assignment] # the three kinds have these
    api = Api(given)
    try:
        found = await probe.inspect(name, given, medium, api)
        lines = [*_problems(name, [*setup.problems(given, medium), *found.problems])]
        for change in found.changes:
            lines += await _changed(name, api, change, medium, is_check=is_check)
        lines += _problems(name, await probe.knock(given, name))
    finally:
        await api.close()
    if all(line.state == "hint" for line in lines):
        numbers = ", ".join(given.numbers)
        lines.append(Line(account=name, state="right", message=f"{numbers}: set up as it should be"))
    return lines


def _problems(account: str, found: Sequence[contract.Problem]) -> Iterator[Line]:
    for each in dict.fromkeys(found):
        state = "wrong" if each.severity == "error" else each.severity
        yield Line(account=account, state=state, message=each.message, hint=each.hint)


async def _changed(
    account: str, api: Api, change: setup.Change, medium: setup.Medium, *, is_check: bool
) -> list[Line]:
    if is_check:
        return [_line(account, each, "wrong", each.sentence) for each in change.differences]
    try:
        await probe.apply(api, change, medium)
    except ApiError as error:
        return [
            _line(account, each, "failed", f"{each.number}: {each.setting} could not be set: {error}")
            for each in change.differences
        ]
    return [
        _line(account, each, "set", f"{each.number}: {each.setting} is now {each.should or 'empty'}")
        for each in change.differences
    ]


def _line(account: str, each: setup.Difference, state: str, message: str) -> Line:
    return Line(
        account=account,
        state=state,
        message=message,
        number=each.number,
        setting=each.setting,
        is_=each.is_,
        should=each.should,
    )


def _say(line: Line, *, is_json: bool) -> None:
    message, hint = redaction.redacted(line.message), redaction.redacted(line.hint)
    if is_json:
        output.print_json(msgspec.structs.replace(line, message=message, hint=hint))
        return
    print(f"{line.account}: {line.state}: {message}{f' ({hint})' if hint else ''}")


def write_files(arguments: argparse.Namespace) -> int:
    settings = options.load_settings(arguments)
    said, longest_s = _voicemail(settings)
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in fallback.files(said, longest_s=longest_s).items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)
    terminal.say(f"{fallback.READ_ME} tells where to put them, and what to set")
    return 0


def _voicemail(settings: Settings) -> tuple[tuple[fallback.Spoken, ...], int]:
    """Return what is said while we are down, in the languages of the first account that has a phone."""
    for each in settings.channels.values():
        if each.kind.startswith(KINDS) and hasattr(each.options, "voices"):
            own: Any = each.options
            said = fallback.spoken(own.languages, sentences=own.sentences, spoken_by=own.voices)
            return said, own.voicemail_s
    return fallback.spoken(("en",)), LONGEST_S
