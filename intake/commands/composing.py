"""What an answer would be, before it is sent: segments, cost, and what stands in its way."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intake import cli
from intake.commands import options, output

if TYPE_CHECKING:
    from channels.contract import OutboundFile
    from intake.composed import Composed

FORCING_SHOWN = 10


def configure(commands: Any) -> None:
    parser = options.subcommand(
        commands,
        "compose",
        compose,
        "what an answer would be: how it goes, what it costs, what is in its way",
    )
    parser.add_argument("ref", metavar="REF")
    parser.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help='the text; "-" (default) is stdin'
    )
    parser.add_argument(
        "--attach", action="append", default=[], metavar="FILE", help="a file that would go along"
    )
    options.add_json(parser)


def compose(arguments: argparse.Namespace) -> int:
    from intake import composing

    text = options.read_text(arguments.file)
    files = [_file(Path(each)) for each in arguments.attach]
    with options.wired(arguments) as wired:
        try:
            composed = wired.store.read_now(
                lambda tx: composing.compose(tx, wired.context, arguments.ref, text=text, files=files)
            )
        except composing.DeskError as error:
            raise cli.WrongInput(str(error)) from None
    if arguments.is_json:
        output.print_json(composed)
    else:
        print("\n".join(_lines(composed)))
    return 0


def _file(path: Path) -> "OutboundFile":
    """Return a file as an answer would name it; its bytes stay where they are. Raises: cli.WrongInput."""
    from channels.contract import OutboundFile
    from intake import attaching

    try:
        size = path.stat().st_size
    except OSError as error:
        raise cli.WrongInput(f"{path} cannot be read: {error.strerror}") from None
    return OutboundFile(path.name, attaching.type_of(path.name), size, "")


def _lines(composed: "Composed") -> Iterator[str]:
    yield f"{composed.medium} from {composed.from_ or '—'} to {composed.to or '—'}"
    if composed.segments is not None:
        cost = f", {composed.cost}" if composed.cost else ""
        segments = f"{composed.segments} segment{'' if composed.segments == 1 else 's'}"
        yield f"{composed.characters} characters, {composed.encoding}, {segments} ({composed.left} left){cost}"
    for each in composed.forcing[:FORCING_SHOWN]:
        instead = "" if each.instead is None else f": '{each.instead}' would do"
        yield f"  character {each.at + 1} '{each.character}' ({each.name}) makes it UCS-2{instead}"
    if composed.window_ends_at is not None:
        yield f"WhatsApp's 24 hours end {composed.window_ends_at[:16].replace('T', ' ')} UTC"
    for template in composed.templates:
        yield f"  template {template['name']} ({template['language']}): {template['text']}"
    for picture in composed.smaller:
        yield (
            f"  the picture {picture.name} has {picture.size:,} bytes: it is sent smaller, "
            f"with {picture.max_size:,} at most"
        )
    if composed.warning:
        yield f"warning: {composed.warning}"
    yield "it can be sent" if composed.can_send else f"it cannot be sent: {composed.reason}"
