"""`intake tickets call`: the agent's phone rings, then the customer's. `intake calls record`: a talk's recording pauses."""

import argparse
import asyncio
from typing import Any

from intake import cli, terminal
from intake.commands import options, output

ACTIONS = {"pause": "paused", "resume": "in-progress", "stop": "stopped"}
CURRENT = "Twilio.CURRENT"  # twilio.com/docs/voice/api/recording#update-a-recording-resource, checked 2026-11


def configure_tickets(commands: Any) -> None:
    from intake.commands import ticket_actions

    parser = ticket_actions.add_action(
        commands, "call", call, "call the customer: your phone rings first, 1 there calls theirs"
    )
    parser.add_argument("--number", metavar="NUMBER", help="whom to call; default: the number that they used")
    options.add_json(parser)


def configure_calls(commands: Any) -> None:
    parser = options.subcommand(
        commands,
        "record",
        record,
        "pause the recording of a talk (a card's number is read), or go on with it",
    )
    parser.add_argument("action", choices=tuple(ACTIONS), metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument("call", metavar="CALL", help="the provider's id of it, as intake calls list shows it")
    options.add_json(parser)


def call(arguments: argparse.Namespace) -> int:
    from intake import calling_out, desk
    from intake.store import lockfile

    with options.wired(arguments) as wired:
        if not lockfile.is_daemon_running(wired.settings.folder):
            raise cli.Failed("no daemon is running, so no phone would ring now: start it (intake run) first")
        try:
            called = wired.store.write_now(
                lambda tx: calling_out.call(
                    tx, wired.context, arguments.ref, agent=arguments.agent, number=arguments.number
                )
            )
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
    if arguments.is_json:
        output.print_json(
            {
                "ticket": called.ref,
                "agent": called.agent,
                "phone": called.phone,
                "number": called.number,
                "own": called.own,
                "outbox": str(called.outbox_id),
            }
        )
    else:
        terminal.say(f"{called.phone} rings: press 1 there, and {called.number} is called from {called.own}")
    return 0


def record(arguments: argparse.Namespace) -> int:
    """Ask the provider at once: a recording that goes on for a moment too long is what this is to prevent."""
    from intake import call_recording

    with options.wired(arguments) as wired:
        found = wired.store.read_now(lambda tx: call_recording.find(tx, arguments.call))
        if found is None:
            raise cli.WrongInput(f"there is no call {arguments.call} under way: intake calls list")
        account = wired.settings.channels.get(found.account)
        if account is None:
            raise cli.Failed(f"the account '{found.account}' of that call is not configured any more")
        asyncio.run(_ask(account.options, found.call, ACTIONS[arguments.action]))
        wired.store.write_now(lambda tx: call_recording.note(tx, found, arguments.action))
    if arguments.is_json:
        output.print_json({"call": found.call, "recording": ACTIONS[arguments.action]})
    else:
        terminal.say(f"the recording of {found.call} is {ACTIONS[arguments.action]}")
    return 0


async def _ask(account: Any, call_sid: str, status: str) -> None:
    """Change the state of the recording under way. Raises: cli.Failed."""
    from channels.twilio.api import Api, ApiError

    api = Api(account)
    # What is said while it is paused is left out, not recorded as silence: the talk's length shows nothing of it.
    more = {"pause_behavior": "skip"} if status == "paused" else {}
    try:
        await api.call(
            lambda twilio: twilio.calls(call_sid).recordings(CURRENT).update_async(status=status, **more)
        )
    except ApiError as error:
        raise cli.Failed(f"the recording of {call_sid} is as it was: {error}") from None
    finally:
        await api.close()
