"""Takes messages of a web form: a page of ours that works without JavaScript, and the forms of pages that are named.

    GET  /form/<account>          the page, in the language asked for (?lang=pl) or the browser's
    POST /form/<account>          multipart/form-data or application/x-www-form-urlencoded; answers with a redirect

Guarantee: the page that says thanks comes after commit and fsync; a fault of ours says so, and the text stays in the page.
What is posted twice (a double click, a reload) is one message: the page has an id, and the content is part of the key.
A form of another page has no id: the same words of the same day are one message there.
Limits: sizes, fields and files are bounded by options; posts come from our own page or from `origins` (Origin, RFC 6454:
browsers send it with every form, Fetch Standard §3.2); a field that no person sees is to be left empty; so many messages an
hour come from one network. Who writes proves nothing of themselves: an address is where the answer goes.
Level: solid.
"""

import asyncio
import contextlib
import functools
import logging
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from channels import contract
from channels.form import checks, multipart, page, settings, submission, words
from channels.form.pace import Pace
from channels.form.submission import MEDIUM, Submission

if TYPE_CHECKING:
    from aiohttp import web

    from channels import hooks

__all__ = ["MEDIUM", "Channel", "Options", "parse"]

Options = settings.Options
MAX_PAGE_CHARS = 500
_TYPES = frozenset({multipart.FORM, multipart.MULTIPART})
CRASHED_RETRY_S = 60
SCHEMES = ("https", "http")  # which of them a browser sees, a proxy knows
_KEPT_S = 31_536_000
BEGINNING_S = 10.0
_FORM_ID = re.compile(r"[A-Za-z0-9_-]{20,40}")

log = logging.getLogger("channels.form")


def parse(raw: contract.RawMessage, options: Options, evidence: Any = None) -> contract.Message:
    """The normal form of what was sent."""
    return submission.message(raw, options)


class Channel:
    """One form. clock: Unix seconds."""

    prefix = "/form"
    authority = "public"

    def __init__(self, account: str, options: Options, *, clock: Callable[[], float] = time.time) -> None:
        self._account, self._options, self._clock = account, options, clock
        self.entrance = f"{self.prefix}/{account}"
        self._pace = Pace(options.limits)
        self._origins = frozenset(options.origins)

    def routes(self, gate: contract.Gate) -> list["web.RouteDef"]:
        from aiohttp import web

        from channels import hooks

        options = self._options
        bodies = hooks.Bodies(
            max_size_bytes=options.max_size_bytes + multipart.MAX_PARTS * multipart.MAX_HEAD_BYTES,
            max_in_flight_bytes=options.max_bytes_in_flight,
            timeout_s=options.body_timeout_s,
        )
        return [
            web.get("", self._show),
            web.get(f"/{page.STYLE_NAME}", self._style),
            web.post("", functools.partial(self._take, gate, bodies)),
        ]

    def check(self) -> list[contract.Problem]:
        if self._options.ask.email == "no" and self._options.ask.phone == "no":
            return [
                contract.Problem(
                    "nobody who uses this form can be answered: it asks for no address and no number",
                    "set ask: {email: optional}",
                    "warning",
                )
            ]
        return []

    async def _show(self, request: "web.Request") -> "web.Response":
        look = self._look(request, request.query.get("lang", ""))
        if "sent" in request.query:
            return self._answered(page.thanks(look))
        answer = self._answered(page.form(look))
        # Who comes back to it by "back" has the same page, and with it the same message: nothing of anybody's is in it.
        answer.headers["Cache-Control"] = "private, no-cache"
        return answer

    async def _style(self, request: "web.Request") -> "web.Response":
        from aiohttp import web

        kept = {"Cache-Control": f"public, max-age={_KEPT_S}, immutable"}
        return web.Response(text=page.STYLE, content_type="text/css", headers=kept)

    async def _take(
        self, gate: contract.Gate, bodies: "hooks.Bodies", request: "web.Request"
    ) -> "web.Response":
        """Take one message. Whatever keeps it from being taken is told in the page, with the text still in it."""
        from channels import hooks

        if request.content_type not in _TYPES:
            raise hooks.Refused(415, "send a form")
        written = request.headers.get("Content-Type", "")
        try:
            async with bodies.read(request) as body:
                raw = submission.kept(written, body)
                if multipart.has_more_parts(written, body):
                    return self._again(request, submission.read(raw), "is_many", status=413)
                return await self._settled(gate, request, raw)
        except hooks.Refused as refused:
            if refused.status != 413:
                raise
            raw = submission.kept(written, await self._beginning(request))
            return self._again(request, submission.read(raw), "is_large", status=413)

    async def _beginning(self, request: "web.Request") -> bytes:
        """Return how a body begins that is too large, for the text in it, which stands before the files."""
        content, most = bytearray(), self._options.max_message_chars * 4 + 65_536
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEGINNING_S):
                while len(content) < most and not request.content.at_eof():
                    content += await request.content.read(most - len(content))
        return bytes(content)

    async def _settled(self, gate: contract.Gate, request: "web.Request", raw: bytes) -> "web.Response":
        sent = submission.read(raw)
        look = self._look_again(request, sent)
        if not self._is_from_here(request):
            return self._again(request, sent, "is_elsewhere", status=403)
        faults = checks.faults(sent, self._options)
        if faults:
            return self._answered(page.form(look, sent, faults, said=_files_note(look, sent)), status=422)
        wait_s = self._pace.wait_s(request.remote)
        if wait_s:
            return self._again(request, sent, "is_busy", status=429, retry_after_s=wait_s)
        return await self._stored(gate, request, sent, self._raw(request, look, sent, raw))

    async def _stored(
        self, gate: contract.Gate, request: "web.Request", sent: Submission, raw: contract.RawMessage
    ) -> "web.Response":
        """Hand a message over, and say thanks when it is kept; counted before, so that many at once are not too many."""
        self._pace.count(request.remote)
        try:
            receipt = await gate.submit(raw)
        except contract.Rejected:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was: a person sits before it, with a text
            self._pace.take_back(request.remote)
            return self._down(request, sent, error)
        if receipt.duplicate:
            self._pace.take_back(request.remote)
        return self._sent(self._look(request, sent.text("language")))

    def _down(self, request: "web.Request", sent: Submission, error: Exception) -> "web.Response":
        """Say that it is our fault, and that the text is still there; the operator hears what it was."""
        retry_after_s = CRASHED_RETRY_S
        if isinstance(error, contract.Unavailable):
            retry_after_s = error.retry_after_s
            log.warning("request_put_off account=%s reason=%s", self._account, error.reason)
        else:
            log.error("request_not_taken account=%s", self._account, exc_info=error)
        return self._again(request, sent, "is_down", status=503, retry_after_s=retry_after_s)

    def _raw(
        self, request: "web.Request", look: page.Look, sent: Submission, raw: bytes
    ) -> contract.RawMessage:
        now = datetime.fromtimestamp(self._clock(), UTC)
        form_id = sent.text("form")[:100] or f"{now:%Y-%m-%d}"
        sender = submission.mailbox(sent.text("email")) or sent.text("phone")[:40]
        envelope = {
            "sender": sender,
            "language": look.language,
            "page": self._page_of(request, sent.text("page")),
        }
        return contract.RawMessage(
            kind=MEDIUM,
            account=self._account,
            lane=sender.lower() or f"form:{form_id}",
            keys=(f"form:{self._account}:{form_id}:{submission.content_key(sent)}",),
            body=raw,
            received_at=now,
            envelope={name: value for name, value in envelope.items() if value},
        )

    def _is_from_here(self, request: "web.Request") -> bool:
        """Whether a post comes from our own page or from one that is named; what does not say so does not."""
        origins = request.headers.getall("Origin", [])
        if len(origins) != 1:
            return False
        return bool(origins[0]) and origins[0] in self._own(request) | self._origins

    def _own(self, request: "web.Request") -> set[str]:
        """Return the origins that our own page may have."""
        shown = {f"{scheme}://{request.host}" for scheme in SCHEMES}
        return shown | {settings.origin_of(self._options.public_url)}

    def _page_of(self, request: "web.Request", carried: str) -> str:
        """Return where the form or the link to it stands, as the browser says; "" = it does not say. carried: by our page."""
        found = carried or request.headers.get("Referer", "")[:MAX_PAGE_CHARS]
        origin = settings.origin_of(found)
        return found[:MAX_PAGE_CHARS] if origin and origin not in self._own(request) else ""

    def _look(self, request: "web.Request", asked: str, *, form_id: str = "", carried: str = "") -> page.Look:
        accepted = request.headers.get("Accept-Language", "")
        return page.Look(
            path=request.path.rstrip("/"),
            language=words.chosen(asked, accepted, self._options.languages),
            options=self._options,
            # The page that is shown again sends the same message, not another one.
            form_id=form_id if _FORM_ID.fullmatch(form_id) else secrets.token_urlsafe(16),
            page=self._page_of(request, carried),
        )

    def _look_again(self, request: "web.Request", sent: Submission) -> page.Look:
        """Return how the page is made that shows what was sent."""
        asked, form_id = sent.text("language"), sent.text("form")
        return self._look(request, asked, form_id=form_id, carried=sent.text("page"))

    def _again(
        self, request: "web.Request", sent: Submission, word: str, *, status: int, retry_after_s: float = 0
    ) -> "web.Response":
        """Show the form once more, with what was wrong at its top."""
        look = self._look_again(request, sent)
        said = page.sentence(look, checks.Fault(checks.FILES, word, self._options.max_files))
        html = page.form(look, sent, said=(said, *_files_note(look, sent)))
        answer = self._answered(html, status=status)
        if retry_after_s:
            answer.headers["Retry-After"] = str(int(retry_after_s) + 1)
        return answer

    def _sent(self, look: page.Look) -> "web.Response":
        """Lead to the thanks by a redirect, so that a reload posts nothing."""
        from aiohttp import web

        where = self._options.thanks_url or f"{look.path}?sent&lang={look.language}"
        return web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})

    def _answered(self, html: str, *, status: int = 200) -> "web.Response":
        from aiohttp import web

        framed_by = " ".join(sorted(self._origins)) or "'none'"
        targets = " ".join(("'self'", *filter(None, [settings.origin_of(self._options.thanks_url)])))
        policy = f"default-src 'none'; style-src 'self'; form-action {targets}; base-uri 'none'; frame-ancestors {framed_by}"
        headers = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            # With no-referrer browsers would send "Origin: null" along with the form.
            "Referrer-Policy": "same-origin",
            "Vary": "Accept-Language",
        }
        return web.Response(text=html, status=status, content_type="text/html", headers=headers)


def _files_note(look: page.Look, sent: Submission) -> tuple[str, ...]:
    """Say that files have to be chosen once more: a browser never gives them back to a page."""
    return (look.words["files_again"],) if sent.files else ()
