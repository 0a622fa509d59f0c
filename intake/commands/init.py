"""Writes the starter configuration: intake.yaml, rules.yaml and the texts of the automatic replies.

--example writes the rules of one of the examples instead. Nothing that is there already is overwritten.
"""

import argparse
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import chain
from pathlib import Path

from intake import cli, terminal

HIDDEN = (".yamllint",)  # what else is hidden there is the machine's, not ours
EXAMPLES = "examples"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", metavar="DIR", help="default: that of -c, else config")
    parser.add_argument("-c", "--config", metavar="FILE", help="write it into this file's folder")
    parser.add_argument("--example", metavar="NAME", help="shop, software, office or forty instead")


def run(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder or (Path(arguments.config).parent if arguments.config else "config"))
    if folder.exists() and not folder.is_dir():
        raise cli.WrongInput(f"{folder} is a file: name a folder")
    files = _files(_starter()) if arguments.example is None else _example(_starter(), arguments.example)
    written = [name for name, source in files if _write_new(folder / name, source)]
    for name in written:
        print(folder / name)
    if not written:
        terminal.say(f"everything is in {folder} already; nothing was written")
    where = "" if folder == Path("config") else f" -c {folder / 'intake.yaml'}"
    terminal.say(f"next: intake check{where}, then intake run{where}")
    return 0


def _starter() -> Traversable:
    """Find the shipped files: inside the wheel, or the folder config of a source tree."""
    packed = resources.files("intake") / "starter"
    if packed.is_dir():
        return packed
    source = Path(__file__).resolve().parents[2] / "config"
    if not source.is_dir():
        raise cli.Failed("the starter configuration is missing from this installation: install intaked again")
    return source


def _example(starter: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    """One of the examples, which brings all that it needs."""
    known = sorted(each.name for each in (starter / EXAMPLES).iterdir() if each.is_dir())
    if name not in known:
        raise cli.WrongInput(f"there is no example '{name}': write one of {', '.join(known)}")
    hidden = (found for found in _files(starter) if found[0] in HIDDEN)
    return chain(hidden, _files(starter / EXAMPLES / name))


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.name == EXAMPLES and not prefix:
            continue
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif not entry.name.startswith(".") or entry.name in HIDDEN:
            yield f"{prefix}{entry.name}", entry


def _write_new(path: Path, source: Traversable) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(source.read_bytes())
    except FileExistsError:
        return False
    return True
