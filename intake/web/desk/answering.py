"""POST /tickets/{ref}/reply, note, compose, undo, send-now; GET …/canned/{name}: what is said on a ticket.

A reply carries the mark of what its page showed. With anything newer it is answered 409 with what that is; nothing is
sent then, and a browser without scripts gets its text back on a page that shows the news above it.
"""

import asyncio

from aiohttp import web

from intake import attaching, canned, composing, desk_promises, draft_files, drafts, refs, replying, solving
from intake import desk as agents_desk
from intake.answering_by_phone import Chosen
from intake.attaching import Prepared
from intake.composed import Composed
from intake.desk import DeskError
from intake.model import OUTCOMES
from intake.replying import Answer
from intake.solving import Ending
from intake.store.engine import Tx
from intake.unseen import Unseen
from intake.web.access import Action, Who
from intake.web.desk import around, forms, subjects
from intake.web.desk.desk import Desk
from intake.web.desk.forms import Sent
from intake.web.desk.words import WORDS
from intake.web.routes import Route

FORM_BYTES = 1024 * 1024  # beside the files


def routes(desk: Desk) -> list[Route]:
    """List the routes; files of a reply may be as large as intake.yaml lets them."""
    found = subjects.of_ticket(desk)
    pages = Answering(desk)
    most = desk.settings.limits.max_attachments_bytes + FORM_BYTES
    path = "/tickets/{ref}"
    return [
        Route("POST", f"{path}/reply", Action.reply, pages.reply, found, max_body_bytes=most),
        Route("POST", f"{path}/note", Action.note, pages.note, found),
        Route("POST", f"{path}/compose", Action.reply, pages.compose, found),
        Route("POST", f"{path}/undo", Action.reply, pages.undo, found),
        Route("POST", f"{path}/send-now", Action.reply, pages.send_now, found),
        Route("GET", f"{path}/canned/{{name}}", Action.see_ticket, pages.canned, found),
    ]


class Answering:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def reply(self, request: web.Request, who: Who) -> web.Response:
        """Answer the customer."""
        sent, ref = await forms.read(request), _ref(request)
        try:
            files = await self._files(sent)
            # Urgent: an agent waits, and who chats; what came in can be settled after it.
            given = await self._desk.store.write(
                lambda tx: self._reply(tx, ref, sent, files, who), is_urgent=True
            )
        except DeskError as error:
            return self._not_sent(request, who, sent, ref, error)
        told = {
            "ref": given.ref,
            "outbox": str(given.outbox_id),
            "held_until": given.held_until,
            "mark": given.mark,
        }
        return forms.done(request, told, to=f"/tickets/{given.ref}#composer")

    def _reply(self, tx: Tx, ref: str, sent: Sent, files: tuple[Prepared, ...], who: Who) -> replying.Sent:
        subjects.check(tx, ref, who, Action.reply)
        context, text = self._desk.context(), sent.text("text")
        gaps = canned.gaps(text)
        if gaps:
            raise DeskError(f"fill in [[{gaps[0]}]] first: nothing was sent")
        solving.ask(tx, ref, _ending(sent), status=sent.word("status"))
        most = self._desk.settings.limits.max_attachments_bytes
        kept = draft_files.chosen(tx, sent.word("fork") or "", sent.every("kept"), agent=who.name)
        try:
            every = draft_files.together(kept, attaching.keep(tx, files), max_bytes=most)
        except attaching.TooMuch as error:
            raise DeskError(str(error)) from error
        promised, _ = desk_promises.in_answer(tx, context, ref, sent.word("promise"), agent=who.name)
        template = sent.word("template")
        answer = Answer(
            text="" if template else text,
            seen=sent.text("seen"),
            fork=sent.word("fork") or "",
            revision=sent.number("revision"),
            status=sent.word("status"),
            ending=_ending(sent),
            files=every,
            promise=promised,
            chosen=Chosen(template, sent.every("value")) if template else None,
            hold_s=context.answers.undo_s,
        )
        return replying.reply(tx, context, ref, answer, agent=who.name)

    async def _files(self, sent: Sent) -> tuple[Prepared, ...]:
        """Put the files of a reply where blobs are. Raises: DeskError."""
        if not sent.files:
            return ()
        most = self._desk.settings.limits.max_attachments_bytes
        try:
            return await asyncio.to_thread(
                attaching.of_bytes, sent.files, folder=self._desk.folder, max_bytes=most
            )
        except attaching.TooMuch as error:
            raise DeskError(str(error)) from error

    def _not_sent(
        self, request: web.Request, who: Who, sent: Sent, ref: str, error: DeskError
    ) -> web.Response:
        """Give the text back with why it was not sent."""
        if not forms.wants_page(request):
            return forms.refused(request, error)
        is_unseen = isinstance(error, Unseen)
        return self._desk.render(
            "not_sent.html",
            who,
            status=409 if is_unseen else forms.REFUSED,
            ref=ref,
            kind="reply",
            sentence=forms.sentence(error),
            newer=error.newer if isinstance(error, Unseen) else (),
            mark=error.mark if isinstance(error, Unseen) else sent.text("seen"),
            sent=sent,
            outcomes=OUTCOMES,
            words=WORDS,
        )

    async def note(self, request: web.Request, who: Who) -> web.Response:
        """Write down what only colleagues see."""
        sent, ref = await forms.read(request), _ref(request)
        try:
            await self._desk.store.write(lambda tx: self._note(tx, ref, sent, who))
        except DeskError as error:
            if not forms.wants_page(request):
                return forms.refused(request, error)
            return self._desk.render(
                "not_sent.html", who, status=forms.REFUSED, ref=ref, kind="note",
                sentence=forms.sentence(error), newer=(), mark="", sent=sent, outcomes=OUTCOMES, words=WORDS,
            )  # fmt: skip
        return forms.done(request, {"ref": ref}, to=f"/tickets/{ref}#composer")

    def _note(self, tx: Tx, ref: str, sent: Sent, who: Who) -> None:
        subjects.check(tx, ref, who, Action.note)
        fork, revision = sent.word("fork") or "", sent.number("revision")
        context, text = self._desk.context(), sent.text("text")
        replying.note(tx, context, ref, text, agent=who.name, fork=fork, revision=revision)

    async def compose(self, request: web.Request, who: Who) -> web.Response:
        """Say what the answer would be: segments, what is in its way."""
        sent, ref = await forms.read(request), _ref(request)
        context, fork, kept = self._desk.context(), sent.word("fork") or "", sent.every("kept")

        def compose(tx: Tx) -> Composed:
            files = draft_files.named(tx, fork, kept, agent=who.name)
            return composing.compose(tx, context, ref, text=sent.text("text"), files=files)

        try:
            composed = await self._desk.store.read(compose)
        except DeskError as error:
            return forms.refused(request, error)
        told = {"composed": composed, "gaps": canned.gaps(sent.text("text"))}
        return forms.done(request, told, to=f"/tickets/{ref}#composer")

    async def undo(self, request: web.Request, who: Who) -> web.Response:
        """Take an answer back that has not left; its text comes along, to be written on."""
        sent, ref = await forms.read(request), _ref(request)
        outbox_id = _number(sent.text("outbox"))
        try:
            text = await self._desk.store.write(lambda tx: self._take_back(tx, outbox_id, who.name))
        except DeskError as error:
            return self._refused(request, who, error)
        return forms.done(request, {"ref": ref, "draft": text}, to=f"/tickets/{ref}#composer")

    def _take_back(self, tx: Tx, outbox_id: int, agent: str) -> dict[str, object] | None:
        draft = drafts.of_outbox(tx, outbox_id)
        replying.take_back(tx, self._desk.context(), outbox_id, agent=agent)
        again = drafts.load(tx, draft.fork, agent=agent) if draft is not None else None
        return None if again is None else drafts.public(again)

    async def send_now(self, request: web.Request, who: Who) -> web.Response:
        """Let a held answer leave at once."""
        sent, ref = await forms.read(request), _ref(request)
        outbox_id = _number(sent.text("outbox"))
        try:
            await self._desk.store.write(
                lambda tx: replying.send_now(tx, self._desk.context(), outbox_id, agent=who.name)
            )
        except DeskError as error:
            return self._refused(request, who, error)
        return forms.done(request, {"ref": ref}, to=f"/tickets/{ref}#composer")

    async def canned(self, request: web.Request, who: Who) -> web.Response:
        """Give a canned reply, filled in for the ticket."""
        ref, name, teams = _ref(request), request.match_info["name"], around.teams_of(who)
        texts, context = around.texts(self._desk), self._desk.context()

        def fill(tx: Tx) -> canned.Filled:
            ticket = agents_desk.find(tx, ref, is_locked=False)
            return canned.fill(tx, context, ticket, texts.named(name, language=ticket.language, teams=teams))

        try:
            filled = await self._desk.store.read(fill)
        except DeskError as error:
            return forms.refused(request, error)
        return forms.done(request, {"canned": filled}, to=f"/tickets/{ref}#composer")

    def _refused(self, request: web.Request, who: Who, error: DeskError) -> web.Response:
        if forms.wants_page(request):
            return self._desk.refusal(who, forms.REFUSED, forms.sentence(error), ref=_ref(request))
        return forms.refused(request, error)


def _ref(request: web.Request) -> str:
    return refs.normalized(request.match_info["ref"]) or ""


def _number(text: str) -> int:
    """Return an id as pages have it, text of up to 19 digits; 0 = it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _ending(sent: Sent) -> Ending:
    return Ending(nature=sent.word("nature"), outcome=sent.word("outcome"))
