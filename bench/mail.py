"""Scores how mail is understood against mails whose right reading somebody else has written down.

    python -m bench.mail DIR [--show] [--json]        (make mail MAIL=DIR)

DIR holds any of these; what is not there is left out. Each line of a .jsonl file is one expectation.

    structure/  structure.jsonl   {file, subject, text_parts, attachments}: null = nobody says; a nameless attachment
    bounces/    bounces.jsonl     {file, permanent, temporary, any}: addresses; any = it is not said which of the two
    replies.jsonl                 {name, body, visible_text}
    every other folder            mails without an expectation: they must not crash, hang, lose a file or come out empty

A subject, a text or a name counts as right when it is the same after white space is folded; a character that the
expectation has lost (U+FFFD) matches any. Mails are read as the daemon reads them, the slow road in this process.
"""

import argparse
import email
import email.policy
import html
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from channels.contract import Costly, Message, RawMessage
from channels.email import message

HANG_S = 2.0
_TAGS = re.compile(r"(?s)<(style|script)\b.*?</\1>|<[^>]*>")
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"[^\w.]+")


class Score(msgspec.Struct):
    """How many of how many, and each miss with what was wanted and what came."""

    right: int = 0
    of: int = 0
    misses: list[dict[str, Any]] = []

    def count(self, *, is_right: bool, mail: str, wanted: Any, got: Any) -> None:
        self.of += 1
        self.right += is_right
        if not is_right:
            self.misses.append({"mail": mail, "wanted": wanted, "got": got})


class Scores(dict[str, Score]):
    def __missing__(self, claim: str) -> Score:
        return self.setdefault(claim, Score())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.mail", description="scores how mail is understood")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--show", action="store_true", help="each miss, with what was wanted")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        print(
            f"{arguments.folder} is no folder: name one that holds mails and what is expected of them",
            file=sys.stderr,
        )
        return 2
    scores = scored(arguments.folder)
    if arguments.json:
        print(msgspec.json.encode(scores).decode())
    else:
        tell(scores, show=arguments.show)
    return 0 if scores else 1


def tell(scores: Scores, *, show: bool) -> None:
    for claim, score in scores.items():
        share = 100 * score.right / score.of if score.of else 0
        print(f"{claim:<44} {score.right:>5} of {score.of:<5} {share:6.1f} %")
        for miss in score.misses if show else ():
            print(f"    {miss['mail']}\n        wanted {miss['wanted']!r}\n        got    {miss['got']!r}")


def scored(folder: Path) -> Scores:
    scores = Scores()
    readers: dict[str, Callable[[Scores, Path, Any], None]] = {
        "structure": _structure,
        "bounces": _bounce,
        "replies": _reply,
    }
    for name, reader in readers.items():
        for expected in _expectations(folder / f"{name}.jsonl"):
            reader(scores, folder / name, expected)
    with_expectation = {folder / name for name in readers}
    for path in sorted(each for each in folder.glob("*/**/*") if each.is_file()):
        if not with_expectation & set(path.parents):
            _plain(scores, path)
    return scores


def _expectations(path: Path) -> Iterator[Any]:
    if path.exists():
        yield from (msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line.strip())


def _structure(scores: Scores, folder: Path, expected: Any) -> None:
    name, raw = expected["file"], (folder / expected["file"]).read_bytes()
    read = _read(scores, name, raw)
    if read is None:
        return
    if expected.get("subject") is not None:
        subject = expected["subject"]
        scores["subjects"].count(
            is_right=_is_same(subject, read.subject), mail=name, wanted=subject, got=read.subject
        )
    texts = [_plain_text(part) for part in expected.get("text_parts") or [] if part and part.strip()]
    if texts:
        scores["texts, all parts in order"].count(
            is_right=_holds(texts, read.text), mail=name, wanted=texts, got=read.text
        )
        first = _is_beginning(texts[0], read.text)
        scores["texts, the first part"].count(is_right=first, mail=name, wanted=texts[0], got=read.text)
        scores["not empty"].count(is_right=bool(read.visible_text.strip()), mail=name, wanted="text", got="")
    names = expected.get("attachments") or []
    got = [each.name for each in read.attachments]
    if names:
        scores["attachment names"].count(is_right=_are_named(names, got), mail=name, wanted=names, got=got)
        scores["no attachment lost"].count(is_right=len(got) >= len(names), mail=name, wanted=names, got=got)


def _bounce(scores: Scores, folder: Path, expected: Any) -> None:
    name, raw = expected["file"], (folder / expected["file"]).read_bytes()
    read = _read(scores, name, raw)
    if read is None:
        return
    recipients = read.bounce.recipients if read.bounce else ()
    got = {
        kind: sorted({each.address.lower() for each in recipients if each.permanent is is_permanent})
        for kind, is_permanent in (("permanent", True), ("temporary", False))
    }
    wanted = {kind: sorted({each.lower() for each in expected.get(kind) or ()}) for kind in got}
    either = sorted({each.lower() for each in expected.get("any") or ()})
    everybody = sorted({*got["permanent"], *got["temporary"]})
    told = either or sorted({*wanted["permanent"], *wanted["temporary"]})
    scores["bounces, recipients"].count(is_right=told == everybody, mail=name, wanted=told, got=everybody)
    is_right = everybody == either if either else got == wanted
    scores["bounces, recipients and status"].count(
        is_right=is_right, mail=name, wanted=either or wanted, got=got
    )


def _reply(scores: Scores, folder: Path, expected: Any) -> None:
    name, wanted = expected["name"], expected["visible_text"]
    head = 'From: a@example.com\nSubject: Re: x\nContent-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n'
    read = _read(scores, name, (head + expected["body"]).encode())
    if read is None:
        return
    got = read.visible_text
    scores["visible text"].count(is_right=wanted.strip() == got.strip(), mail=name, wanted=wanted, got=got)
    is_whole = not _lost_words(wanted, got)
    scores["visible text, no word lost"].count(is_right=is_whole, mail=name, wanted=wanted, got=got)


def _plain(scores: Scores, path: Path) -> None:
    raw = path.read_bytes()
    read = _read(scores, path.name, raw)
    oracle = _standard_library(raw)
    if read is None or oracle is None:
        return
    texts, names = oracle
    if any(_WORD.search(text) for text in texts):
        is_empty = not read.visible_text.strip()
        scores["not empty"].count(is_right=not is_empty, mail=path.name, wanted=texts, got=read.text)
    if names:
        got = [each.name for each in read.attachments]
        scores["no attachment lost"].count(
            is_right=len(got) >= len(names), mail=path.name, wanted=names, got=got
        )


def _standard_library(raw: bytes) -> tuple[list[str], list[str]] | None:
    """Texts and names that the standard library sees; None where it fails, and says nothing about us."""
    try:
        mail = email.message_from_bytes(raw, policy=email.policy.compat32)
        leaves = [part for part in mail.walk() if not part.is_multipart()]
        plain = [
            part for part in leaves if part.get_content_type() == "text/plain" and not part.get_filename()
        ]
        texts = [bytes(part.get_payload(decode=True) or b"").decode("latin-1") for part in plain]
        return texts, [str(part.get_filename()) for part in leaves if part.get_filename()]
    except Exception:
        return None


def _read(scores: Scores, name: str, raw: bytes) -> Message | None:
    """The normal form as the daemon makes it, with a crash and a hang counted."""
    received = RawMessage(
        kind="email.smtp", account="bench", lane="bench", body=raw, received_at=datetime.now(UTC)
    )
    started = time.perf_counter()
    try:
        try:
            read = message.parse(received, message.Options())
        except Costly:
            read = message.parse_costly(received, message.Options())
    except Exception as error:
        scores["no crash"].count(is_right=False, mail=name, wanted="a message", got=repr(error))
        return None
    took_s = time.perf_counter() - started
    scores["no crash"].count(is_right=True, mail=name, wanted="", got="")
    scores[f"within {HANG_S:.0f} s"].count(is_right=took_s <= HANG_S, mail=name, wanted=HANG_S, got=took_s)
    return read


def _plain_text(part: str) -> str:
    """The expectation itself; where it is HTML, its words."""
    return (
        html.unescape(_TAGS.sub(" ", part))
        if part.lstrip().lower().startswith(("<html", "<!doctype"))
        else part
    )


def _folded(text: str) -> str:
    return " ".join(text.split())


def _is_same(wanted: str, got: str) -> bool:
    return _pattern(wanted).fullmatch(_folded(got)) is not None


def _is_beginning(wanted: str, got: str) -> bool:
    return _pattern(wanted).match(_folded(got)) is not None


def _holds(wanted: list[str], got: str) -> bool:
    at, text = 0, _folded(got)
    for part in wanted:
        found = _pattern(part).search(text, at)
        if found is None:
            return False
        at = found.end()
    return True


def _pattern(wanted: str) -> re.Pattern[str]:
    lost = ".{0,4}?"
    return re.compile(re.escape(_folded(wanted)).replace("\ufffd", lost))


def _are_named(wanted: list[str | None], got: list[str]) -> bool:
    """Whether each name that is expected is there; a folder before it, and marks no file name may have, do not count."""
    left = [_NAME.sub("", name).lower() for name in got]
    for name in filter(None, wanted):
        pieces = (re.escape(_NAME.sub("", piece)) for piece in name.split("\ufffd"))
        pattern = re.compile(".{0,3}".join(pieces), re.IGNORECASE)
        found = next((each for each in left if _ends_alike(pattern, name, each)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _ends_alike(pattern: re.Pattern[str], wanted: str, got: str) -> bool:
    return bool(pattern.fullmatch(got)) or (bool(got) and _NAME.sub("", wanted).lower().endswith(got))


def _lost_words(wanted: str, got: str) -> list[str]:
    kept = set(_WORD.findall(got))
    return [word for word in _WORD.findall(wanted) if word not in kept]


if __name__ == "__main__":
    raise SystemExit(main())
