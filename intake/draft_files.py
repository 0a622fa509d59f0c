"""The files of a text under way: kept as blobs with its draft from the moment they are attached, and let go with it.

A draft's file has a name that no other of it has. What is sent refers to the same bytes once more, so that an answer that is
taken back has its files again; the draft's own references go when it is forgotten (intake.drafts.forget_ended), or with the file.
"""

from collections.abc import Iterable, Sequence

import msgspec

from channels.contract import OutboundFile
from intake import attaching, drafts
from intake.attaching import Prepared, TooMuch
from intake.desk import DeskError
from intake.drafts import Draft, Text
from intake.model import Context
from intake.store import blobs, schema
from intake.store.blobs import PreparedBlob
from intake.store.engine import Tx


def add(
    tx: Tx,
    context: Context,
    typed_ref: str | None,
    fork: str,
    files: Sequence[Prepared],
    *,
    agent: str,
    max_bytes: int,
) -> Draft:
    """Keep files with an answer that is being written, begun or not yet. Raises: DeskError, TooMuch; nothing is kept then.

    typed_ref: of its ticket; None = of a ticket that is yet to be.
    """
    draft = drafts.load(tx, fork, agent=agent)
    if draft is None:
        begun = Text(fork=fork, kind="ticket" if typed_ref is None else "reply", body="", revision=0)
        draft = drafts.save(tx, context, typed_ref, begun, agent=agent)
    if draft.state != "writing" or draft.kind == "note":
        raise DeskError("this is no answer that is being written: attach the file to the next one")
    sizes = [*(each.size for each in draft.files), *(each.blob.size_bytes for each in files)]
    attaching.check_size(sizes, max_bytes=max_bytes)
    names = attaching.unique_names([*(each.name for each in draft.files), *(each.name for each in files)])
    renamed = [
        msgspec.structs.replace(each, name=name)
        for each, name in zip(files, names[len(draft.files) :], strict=True)
    ]
    return _write(tx, draft, (*draft.files, *attaching.keep(tx, renamed)))


def remove(tx: Tx, fork: str, name: str, *, agent: str) -> Draft | None:
    """Let a file of a text that is being written go; None = there is no such text."""
    draft = drafts.load(tx, fork, agent=agent)
    if draft is None or draft.state != "writing":
        return draft
    for each in draft.files:
        if each.name == name:
            blobs.release(tx, each.blob)
    return _write(tx, draft, tuple(each for each in draft.files if each.name != name))


def chosen(tx: Tx, fork: str, names: Iterable[str], *, agent: str) -> tuple[OutboundFile, ...]:
    """Return files of a draft by their names, referred to once more. Raises: DeskError when one is not there."""
    wanted = list(dict.fromkeys(names))
    found = named(tx, fork, wanted, agent=agent)
    missing = next((name for name in wanted if name not in {each.name for each in found}), None)
    if missing is not None:
        raise DeskError(f"the file {missing} is not here any more: attach it again; nothing was sent")
    return again(tx, found)


def named(tx: Tx, fork: str, names: Iterable[str], *, agent: str) -> list[OutboundFile]:
    """Return those files of a draft that there are, in the order of their names."""
    draft = drafts.load(tx, fork, agent=agent) if fork else None
    known = {each.name: each for each in (draft.files if draft is not None else ())}
    return [known[name] for name in dict.fromkeys(names) if name in known]


def together(
    kept: Sequence[OutboundFile], added: Sequence[OutboundFile], *, max_bytes: int
) -> tuple[OutboundFile, ...]:
    """Return all files of one answer under names of their own. Raises: TooMuch."""
    every = [*kept, *added]
    attaching.check_size([each.size for each in every], max_bytes=max_bytes)
    names = attaching.unique_names([each.name for each in every])
    return tuple(msgspec.structs.replace(each, name=name) for each, name in zip(every, names, strict=True))


def again(tx: Tx, files: Iterable[OutboundFile]) -> tuple[OutboundFile, ...]:
    """Refer to files once more."""
    return tuple(
        msgspec.structs.replace(each, blob=blobs.keep(tx, PreparedBlob(each.sha256, each.size, None)))
        for each in files
    )


def _write(tx: Tx, draft: Draft, files: tuple[OutboundFile, ...]) -> Draft:
    tx.update(schema.drafts, {"id": draft.id}, files=drafts.written(files), updated_at=tx.now)
    return msgspec.structs.replace(draft, files=files)


__all__ = ["TooMuch", "add", "again", "chosen", "remove", "together"]
