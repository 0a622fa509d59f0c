"""The files of a ticket: listed, and written into a folder."""

import argparse
import base64
from pathlib import Path
from typing import Any

from intake import cli, refs, terminal
from intake.commands import options, output


def configure(commands: Any) -> None:
    parser = options.subcommand(commands, "files", list_files, "its files: pictures, documents, recordings")
    parser.add_argument("ref", metavar="REF")
    parser.add_argument("--to", metavar="FOLDER", help="write them there, each under a name of its own")
    options.add_json(parser)


def list_files(arguments: argparse.Namespace) -> int:
    from intake import attaching, kept_files, tickets, wiring

    ref = refs.normalized(arguments.ref)
    if ref is None:
        raise cli.WrongInput(f"'{arguments.ref}' is not a ticket's ref")
    with options.opened(arguments) as (settings, store):
        ticket = store.read_now(lambda tx: tickets.load_by_ref(tx, ref))
        if ticket is None:
            raise cli.WrongInput(f"there is no ticket {ref}")
        folder = wiring.blob_folder(settings)
        found = store.read_now(lambda tx: list(kept_files.of_ticket(tx, ticket.id, folder)))
    names = attaching.unique_names([each.name for each in found])
    if arguments.to:
        _write(Path(arguments.to), [(name, each.content) for name, each in zip(names, found, strict=True)])
    rows = [
        {
            "name": name,
            "content_type": each.content_type,
            "size": each.size,
            "message": str(each.message),
            "direction": each.direction,
            "problem": each.problem,
            "thumbnail": _as_url(each.thumbnail),
        }
        for name, each in zip(names, found, strict=True)
    ]
    output.print_rows(
        rows,
        is_json=arguments.is_json,
        columns=("name", "content_type", "size", "direction", "problem"),
        cells=lambda row: {name: str(value) for name, value in row.items()},
        stretch="problem",
        nothing="no files",
    )
    return 0


def _as_url(jpeg: bytes | None) -> str | None:
    """Return a small picture as a page can show it (RFC 2397)."""
    return None if jpeg is None else f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _write(folder: Path, files: list[tuple[str, bytes | None]]) -> None:
    """Write what is here; nothing that is there already is written over. Raises: cli.Failed."""
    here = [(folder / name, content) for name, content in files if content is not None]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in here:
            with path.open("xb") as file:
                file.write(content)
    except OSError as error:
        raise cli.Failed(f"{error.filename} cannot be written: {error.strerror}") from None
    terminal.say(f"{len(here)} of {len(files)} files written to {folder}")
