"""What an agent does with a ticket from the command line: the same functions that the desk calls."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intake import cli, terminal
from intake.commands import options, output
from intake.model import OUTCOMES, STATUSES, Context
from intake.store.durable import make_folder
from intake.store.engine import Tx
from routing.facts import NATURES
from routing.targets import PRIORITIES

if TYPE_CHECKING:
    from intake.acknowledging import Outcome
    from intake.answering_by_phone import Chosen
    from intake.attaching import Prepared
    from intake.promising import Warned

HOLD_MAX_S = 3_600

Action = Callable[[Tx, Context], object]


def configure(commands: Any) -> None:
    for name, run, text in (
        ("reply", reply, "answer the customer"),
        ("note", note, "write down what only colleagues see"),
    ):
        parser = add_action(commands, name, run, text)
        parser.add_argument(
            "file", nargs="?", default="-", metavar="FILE", help='the text; "-" (default) is stdin'
        )
        if name == "reply":
            parser.add_argument("--status", choices=STATUSES, help="the ticket's status afterwards")
            parser.add_argument(
                "--attach",
                action="append",
                default=[],
                metavar="FILE",
                help="sent along; as often as you like",
            )
            parser.add_argument(
                "--template",
                metavar="NAME",
                help="a template of WhatsApp, sent instead of a text; it may be sent at any time",
            )
            parser.add_argument(
                "--value",
                action="append",
                default=[],
                metavar="TEXT",
                help="of the template's next variable; as often as it has variables",
            )
            parser.add_argument(
                "--promise",
                metavar="WHEN",
                help='promise a moment, which the answer then names: "thursday 15:00", "in 2h"',
            )
            parser.add_argument(
                "--seen",
                metavar="MARK",
                help="of what you have read, from show --json: with anything newer nothing is sent",
            )
            parser.add_argument(
                "--hold",
                type=_hold_s,
                default=0.0,
                metavar="SECONDS",
                help="how long it waits, and can be taken back with undo; default: it leaves at once",
            )
    for name, run, text in (
        ("ack", acknowledge, "say that you look at it: who else is told waits"),
        ("take", take, "say that you look at it, and have it assigned to you"),
    ):
        options.add_json(add_action(commands, name, run, text))
    parser = add_action(commands, "status", set_status, "change the status")
    parser.add_argument("status", choices=STATUSES, metavar="STATUS", help=", ".join(STATUSES))
    parser.add_argument("--nature", choices=NATURES, help="what it was about")
    parser.add_argument("--outcome", choices=OUTCOMES, help="how it came out; of what is solved or closed")
    parser = add_action(commands, "nature", set_nature, "say what it is about")
    parser.add_argument("nature", choices=NATURES, metavar="NATURE", help=", ".join(NATURES))
    parser = add_action(commands, "priority", set_priority, "change the priority; running targets follow it")
    parser.add_argument("priority", choices=PRIORITIES, metavar="PRIORITY", help=", ".join(PRIORITIES))
    parser = add_action(commands, "sla", set_policy, "put it under another SLA policy; the time used counts")
    parser.add_argument("policy", metavar="POLICY", help='a policy of the rules; "none" ends its clocks')
    parser = add_action(commands, "assign", assign, "give it to an agent or a team")
    parser.add_argument("to", metavar="NAME", help='an agent or a team; "nobody" takes it from its agent')


def add_action(commands: Any, name: str, run: options.Command, text: str) -> argparse.ArgumentParser:
    """Add a command that an agent gives about one ticket."""
    parser = options.subcommand(commands, name, run, text)
    parser.add_argument("ref", metavar="REF")
    parser.add_argument(
        "--as", dest="agent", required=True, metavar="AGENT", help="who does it: a name of the rules"
    )
    return parser


def reply(arguments: argparse.Namespace) -> int:
    from intake import attaching, desk_promises, replying

    chosen = _template(arguments)
    text = "" if chosen is not None else options.read_text(arguments.file)
    files = _files(arguments)
    warned: list[Warned] = []

    def answer(tx: Tx, context: Context) -> int:
        promised, doubts = desk_promises.in_answer(
            tx, context, arguments.ref, arguments.promise, agent=arguments.agent
        )
        warned[:] = doubts
        given = replying.Answer(
            text=text,
            seen=arguments.seen,
            status=arguments.status,
            files=attaching.keep(tx, files),
            promise=promised,
            chosen=chosen,
            hold_s=arguments.hold,
        )
        return replying.reply(tx, context, arguments.ref, given, agent=arguments.agent).outbox_id

    done = do(arguments, answer, "answered; a running daemon sends it now, else the next start does")
    for each in warned:
        terminal.say(f"warning: {each.sentence}", colour="yellow")
    return done


def _hold_s(text: str) -> float:
    if not text.isascii() or not text.isdigit() or int(text) > HOLD_MAX_S:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds up to {HOLD_MAX_S}")
    return float(text)


def _template(arguments: argparse.Namespace) -> "Chosen | None":
    """Return the template that was chosen instead of a text, None = none. Raises: cli.WrongInput."""
    from intake.answering_by_phone import Chosen

    if arguments.template is None:
        if arguments.value:
            raise cli.WrongInput("--value is for a template: name one with --template")
        return None
    if arguments.promise or arguments.file != "-":
        raise cli.WrongInput("a template has its own words: leave FILE and --promise out")
    return Chosen(arguments.template, tuple(arguments.value))


def _files(arguments: argparse.Namespace) -> tuple["Prepared", ...]:
    """Read what is sent along. Raises: cli.WrongInput."""
    if not arguments.attach:
        return ()
    from intake import attaching, wiring

    settings = options.load_settings(arguments)
    folder = wiring.blob_folder(settings)
    make_folder(folder)
    try:
        return attaching.read(
            map(Path, arguments.attach), folder=folder, max_bytes=settings.limits.max_attachments_bytes
        )
    except OSError as error:
        raise cli.WrongInput(f"{error.filename} cannot be read: {error.strerror}") from None
    except attaching.TooMuch as error:
        raise cli.WrongInput(str(error)) from None


def note(arguments: argparse.Namespace) -> int:
    from intake import desk

    text = options.read_text(arguments.file)
    return do(
        arguments,
        lambda tx, context: desk.note(tx, context, arguments.ref, agent=arguments.agent, text=text),
        "noted",
    )


def acknowledge(arguments: argparse.Namespace) -> int:
    from intake import acknowledging

    return _look(arguments, acknowledging.acknowledge)


def take(arguments: argparse.Namespace) -> int:
    from intake import acknowledging

    return _look(arguments, acknowledging.take)


def _look(arguments: argparse.Namespace, act: Callable[..., "Outcome"]) -> int:
    """Acknowledge or take, and say what came of it: somebody else may have been faster."""
    from intake import acknowledging, desk

    said = acknowledging.Said(agent=arguments.agent)
    with options.wired(arguments) as wired:
        try:
            outcome = wired.store.write_now(lambda tx: act(tx, wired.context, arguments.ref, said))
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
        now = wired.store.now()
    if arguments.is_json:
        output.print_json(acknowledging.to_json(outcome))
    else:
        terminal.say(f"{outcome.ticket.ref} {acknowledging.sentence(outcome, arguments.agent, now=now)}")
    return 0


def set_status(arguments: argparse.Namespace) -> int:
    from intake import solving

    ending = solving.Ending(nature=arguments.nature, outcome=arguments.outcome)
    return do(
        arguments,
        lambda tx, context: solving.set_status(
            tx, context, arguments.ref, arguments.status, ending, agent=arguments.agent
        ),
        f"is {arguments.status}",
    )


def set_nature(arguments: argparse.Namespace) -> int:
    from intake import solving

    return do(
        arguments,
        lambda tx, context: solving.set_nature(
            tx, context, arguments.ref, arguments.nature, agent=arguments.agent
        ),
        f"is about: {arguments.nature}",
    )


def set_priority(arguments: argparse.Namespace) -> int:
    from intake import desk

    return do(
        arguments,
        lambda tx, context: desk.set_priority(
            tx, context, arguments.ref, arguments.priority, agent=arguments.agent
        ),
        f"is {arguments.priority}",
    )


def set_policy(arguments: argparse.Namespace) -> int:
    from intake import desk

    policy = None if arguments.policy == "none" else arguments.policy
    return do(
        arguments,
        lambda tx, context: desk.set_policy(tx, context, arguments.ref, policy, agent=arguments.agent),
        "has no policy" if policy is None else f"is under {policy}",
    )


def assign(arguments: argparse.Namespace) -> int:
    from intake import assigning

    to = None if arguments.to == "nobody" else arguments.to
    return do(
        arguments,
        lambda tx, context: assigning.assign(tx, context, arguments.ref, to, agent=arguments.agent),
        f"is with {arguments.to}",
    )


def do(arguments: argparse.Namespace, action: Action, done: str) -> int:
    """Do it in one transaction and say so."""
    from intake import desk

    with options.wired(arguments) as wired:
        try:
            wired.store.write_now(lambda tx: action(tx, wired.context))
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
    terminal.say(f"{arguments.ref.upper()} {done}")
    return 0
