"""Plays customers who call and text, and the phones of agents, from scenario files, against a running daemon.

  intake simulate call call.yaml          a call: keys, words, voicemail, agents who answer or do not
  intake simulate sms text.yaml …         texts and WhatsApp messages, one file after the other

Twilio is played by this command, at the account's api_url (http://127.0.0.1:8089, say): no account is needed. What a file
expects is checked; exit code 1 when something is not as it says. How files are written: docs/phone.md.
"""

import argparse
import asyncio
from pathlib import Path
from typing import Any

from channels.twilio.simulator.scenario import Scenario
from intake import cli, played_beside, playing, scenarios
from intake.commands import options, output, played_page
from intake.played_beside import Accounts, Beside, NotPlayable
from intake.playing import Play
from intake.wiring import Wired

_KINDS = (
    ("call", "voice", "play calls"),
    ("sms", "sms", "play texts and WhatsApp messages"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, medium, text in _KINDS:
        command = options.subcommand(commands, name, play_files, text)
        command.add_argument("files", nargs="+", metavar="FILE", help="scenarios, played one after the other")
        command.add_argument(
            "--seed", type=options.count, default=1, metavar="N", help="of all that is random"
        )
        command.set_defaults(medium=medium)
        options.add_json(command)


run = options.run_subcommand


def play_files(arguments: argparse.Namespace) -> int:
    found = [(file, read(file)) for file in arguments.files]
    failed = 0
    with options.wired(arguments) as wired:
        accounts = _accounts(wired, arguments.medium)
        for file, scenario in found:
            play = played(wired, accounts, scenario, seed=arguments.seed)
            failed += bool(play.failures)
            show(file, play, is_json=arguments.is_json)
    return cli.FAILED if failed else 0


def read(file: str) -> Scenario:
    """Read a scenario. Raises: WrongInput, ConfigError."""
    try:
        return scenarios.read(Path(file))
    except FileNotFoundError:
        raise cli.WrongInput(f"there is no file {file}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise cli.WrongInput(f"{file} cannot be read: {error}") from None


def _accounts(wired: Wired, medium: str) -> Accounts:
    try:
        return played_beside.accounts_of(wired.settings, medium)
    except NotPlayable as error:
        raise cli.Failed(str(error)) from None


def played(wired: Wired, accounts: Accounts, scenario: Scenario, *, seed: int = 1) -> Play:
    """Play one scenario against the daemon. Raises: Failed."""

    async def perform() -> Play:
        async with Beside(wired, accounts, seed=seed).playing() as stage:
            play = Play(scenario, stage)
            await play.run()
            return play

    try:
        return asyncio.run(perform())
    except NotPlayable as error:
        raise cli.Failed(str(error)) from None


def show(file: str, play: playing.Play, *, is_json: bool) -> None:
    if is_json:
        for each in played_page.objects(play):
            output.print_json(each)
        output.print_json(_summary(file, play))
        return
    for line in played_page.lines(play):
        print(line)


def _summary(file: str, play: playing.Play) -> dict[str, Any]:
    return {
        "scenario": play.scenario.name,
        "file": file,
        "ok": not play.failures,
        "failures": play.failures,
        "tickets": [each["ref"] for each in play.tickets],
    }
