"""The command line: finds the command's module, runs it, and turns every expected error into one sentence.

A command is a module of intake.commands with `configure(parser)` and `run(arguments) -> exit code`; it is imported
only when it is asked for, so that `intake --help` stays quick. Exit codes: 0 done, 1 failed, 2 wrong input.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

from intake import pipe

FAILED: Final = 1
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130

COMMANDS: Final = {
    "init": "write the starter configuration",
    "run": "run the daemon",
    "check": "check configuration and rules, and run the rules' own tests",
    "doctor": "ask the mail servers and all else that is set up whether it works",
    "demo": "play customers against a running daemon",
    "simulate": "play callers, texts and agents' phones from files, without an account at Twilio",
    "parse": "show what a raw message says; touches nothing",
    "route": "show what would happen to a message, and why; touches nothing",
    "ingest": "take in .eml files, mboxes and Maildirs",
    "tickets": "list, show and answer tickets",
    "canned": "the texts that agents put into their answers",
    "calls": "who called, who took it, how it came out",
    "incident": "a known outage that callers are told of: open, close and list",
    "journal": "what came in, and what became of it",
    "outbox": "what goes out, and what got stuck",
    "operations": "how the daemon fares: accounts, what is set aside or given up, what is due",
    "chat": "whether somebody answers chats now; list, write out and forget them",
    "consent": "who has said STOP: look it up, note it, decide what was suggested",
    "timers": "what is due, and when",
    "digests": "notices that came in one mail because there were too many",
    "agents": "who is there and how busy everybody is; going away and coming back",
    "oncall": "who is on call, now and next; take, swap and give back hours",
    "twilio": "set up numbers at Twilio, and the files that answer while we are down",
    "rules": "test, explain, backtest and simulate the rules",
    "lists": "lists that rules ask for: show them, add and remove values",
    "db": "upgrade, back up, restore and verify the store",
}


class WrongInput(Exception):
    """What was asked for cannot be meant; the text says why and what to do. Exit 2."""


class Failed(Exception):
    """It was tried and did not work; the text says why and what to do. Exit 1."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given or given[0] in ("-h", "--help"):
        print(overview())
        return 0 if given else WRONG_INPUT
    if given[0] == "--version":
        return _print_version()
    if pipe.is_pipe(given, COMMANDS):
        return pipe.run(lambda: _run(given))
    return _run(given)


def _run(given: list[str]) -> int:
    if given[0] not in COMMANDS:
        return _refuse_command(given[0])
    module = importlib.import_module(f"intake.commands.{given[0]}")
    parser = argparse.ArgumentParser(
        prog=f"intake {given[0]}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.configure(parser)
    return _guarded(module.run, parser.parse_args(given[1:]))


def overview() -> str:
    """List the commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    head = "usage: intake COMMAND [options]\n\nTakes every customer message in once, routes it by rules, answers on time.\n"
    tail = "\nintake COMMAND --help tells more. The configuration is config/intake.yaml, $INTAKE_CONFIG, or -c FILE."
    return "\n".join([head, *lines, tail])


def _print_version() -> int:
    from importlib.metadata import version

    print(version("intaked"))
    return 0


def _refuse_command(word: str) -> int:
    import difflib

    near = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "intake --help lists the commands"
    print(f"intake: there is no command '{word}': {hint}", file=sys.stderr)
    return WRONG_INPUT


def _guarded(run: "object", arguments: argparse.Namespace) -> int:
    """Run the command; errors that a person can do something about are said in one sentence, without a trace."""
    from intake.commands import guard

    try:
        return guard.run(run, arguments)  # type: ignore[arg-type]
    except BrokenPipeError:
        # The reader of our output has gone (| head): nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("intake: stopped", file=sys.stderr)
        return INTERRUPTED
