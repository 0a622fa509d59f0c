"""Asks what the configuration names whether it works: mail servers are logged in to, keys and folders looked at.

Twilio is asked how its numbers are set up, our own webhook whether it answers, and the virus scanner whether it is there.
Nothing is taken, sent or changed. Each problem comes with its cause and what to do. Exit 0: nothing is wrong; 1: something is.
"""

import argparse
import asyncio
from typing import Any

from channels import clamd, contract, loading, scanner_wire
from intake import cli, redaction, terminal
from intake.commands import options, output
from intake.settings import Settings

SCANNER_S = 5.0


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_config(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = options.load_settings(arguments)
    found = asyncio.run(_asked(settings))
    for account, problem in found:
        _say(account, problem, is_json=arguments.is_json)
    is_ill = any(problem.severity == "error" for _, problem in found)
    if not is_ill:
        terminal.say(f"{len(settings.channels)} accounts answer", colour="green")
    return cli.FAILED if is_ill else 0


async def _asked(settings: Settings) -> list[tuple[str, contract.Problem]]:
    """Ask all accounts and the scanner at the same time; problems in the order of the accounts, the scanner's last."""
    scanner, *answers = await asyncio.gather(
        _scanner(settings), *(_problems(settings, name) for name in settings.channels)
    )
    found = [
        (name, each) for name, problems in zip(settings.channels, answers, strict=True) for each in problems
    ]
    return [*found, *(("files.clamd", each) for each in scanner)]


async def _problems(settings: Settings, account: str) -> list[contract.Problem]:
    chosen = settings.channels[account]
    channel: Any = loading.module_for(chosen.kind).Channel(account, chosen.options)
    found = list(channel.check()) if hasattr(channel, "check") else []
    if hasattr(channel, "probe"):
        found += await channel.probe()
    if hasattr(channel, "close"):
        await channel.close()
    return found


async def _scanner(settings: Settings) -> list[contract.Problem]:
    """Ask the virus scanner whether it is there, where there is to be one."""
    if not settings.files.clamd:
        return []
    try:
        await clamd.ping(settings.files.clamd, timeout_s=SCANNER_S)
    except scanner_wire.NoAnswer as error:
        hint = "files wait until it answers: start clamd, or take files.clamd away"
        return [contract.Problem(str(error), hint)]
    return []


def _say(account: str, problem: contract.Problem, *, is_json: bool) -> None:
    message, hint = redaction.redacted(problem.message), redaction.redacted(problem.hint)
    if is_json:
        output.print_json(
            {"account": account, "severity": problem.severity, "message": message, "hint": hint}
        )
    else:
        print(f"{account}: {problem.severity}: {message}{f' ({hint})' if hint else ''}")
