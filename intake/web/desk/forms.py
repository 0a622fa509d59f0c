"""What a page sends and what it is told: a form with a page after it for browsers without scripts, JSON for ours."""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from intake.desk import DeskError
from intake.unseen import Unseen
from intake.web import bodies, refusals
from intake.web.refusals import wants_page

__all__ = ["REFUSED", "Sent", "done", "read", "refused", "sentence", "wants_page"]

TEXT_MAX_CHARACTERS = 200_000
_Value = str | int | bool | list[str]
REFUSED = 422  # RFC 9110 §15.5.21: it was understood, and cannot be done


class Sent(msgspec.Struct, frozen=True):
    """What was sent. files: (name, bytes)."""

    fields: Mapping[str, tuple[str, ...]]
    files: tuple[tuple[str, bytes], ...] = ()

    def text(self, name: str) -> str:
        """Return a field's first value, line breaks as we write them; "" = it is not there."""
        found = self.fields.get(name)
        return found[0].replace("\r\n", "\n").replace("\r", "\n") if found else ""

    def word(self, name: str) -> str | None:
        """Return a field that is one word or nothing."""
        return self.text(name).strip() or None

    def every(self, name: str) -> tuple[str, ...]:
        return self.fields.get(name, ())

    def number(self, name: str) -> int:
        """Return a whole number from 0 on; 0 = it is none."""
        text = self.text(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0

    def is_set(self, name: str) -> bool:
        return self.text(name) not in ("", "0", "false", "no")


async def read(request: web.Request) -> Sent:
    """Read a form or a JSON object of texts, numbers, booleans and lists of texts. Raises: Refused 400."""
    try:
        return await _read(request)
    except ConnectionError:  # a page that was left: nobody reads the answer
        raise refusals.Refused(400, "What was sent broke off.") from None


async def _read(request: web.Request) -> Sent:
    if request.content_type == "application/json":
        return Sent(_of_json(await request.read()))
    fields: dict[str, tuple[str, ...]] = {}
    files: list[tuple[str, bytes]] = []
    for name, value in (await bodies.form(request)).items():
        if isinstance(value, web.FileField):
            with value.file as file:
                content = file.read()
            if value.filename and content:
                files.append((value.filename, content))
        elif isinstance(value, str):
            fields[name] = (*fields.get(name, ()), value[:TEXT_MAX_CHARACTERS])
    return Sent(fields, tuple(files))


def _of_json(body: bytes) -> dict[str, tuple[str, ...]]:
    try:
        found = msgspec.json.decode(body, type=dict[str, _Value | None])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise refusals.Refused(400, "What was sent cannot be read.") from None
    return {name: _texts(value) for name, value in found.items() if value is not None}


def _texts(value: _Value) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(each[:TEXT_MAX_CHARACTERS] for each in value)
    if isinstance(value, bool):
        return ("1",) if value else ("",)
    return (str(value)[:TEXT_MAX_CHARACTERS],)


def done(request: web.Request, told: Mapping[str, Any], *, to: str) -> web.Response:
    """Answer what went well. to: the page after a form."""
    if wants_page(request):
        raise web.HTTPSeeOther(to, headers={"Cache-Control": "no-store"})
    return web.json_response(told, dumps=_dumped, headers={"Cache-Control": "no-store"})


def refused(request: web.Request, error: DeskError) -> web.Response:
    """Answer what could not be done, for a script; pages are written by who has the text."""
    told: dict[str, Any] = {"error": {"text": sentence(error)}}
    status = REFUSED
    if isinstance(error, Unseen):
        status = 409
        told |= {"newer": error.newer, "mark": error.mark}
        told["error"]["code"] = "unseen"
    return web.json_response(told, status=status, dumps=_dumped, headers={"Cache-Control": "no-store"})


def sentence(error: DeskError) -> str:
    """Return what a person reads: a sentence with a capital and a full stop."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?", "!")) else ".")


def _dumped(value: object) -> str:
    return msgspec.json.encode(value).decode()
