"""A chat as a machine: step(state, raw, view) -> Turn, pure. What a visitor says that is kept is one turn.

A turn that is refused is not kept: the page asks its visitor for what is missing, and says the same again with the same id.
Order of what is asked: whether the desk takes anything from here, who it is, what they agree to, where the answer may go.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from channels import contract
from channels.contract import Happened, Line, LineFile, RawMessage, Turn, View
from channels.webchat import agreement, identity, protocol, state, wire
from channels.webchat.settings import Options
from channels.webchat.state import State, Upload

ENDED = "ended_customer"
_ADDRESS = re.compile(
    r"[^@\s\x00-\x1f\x7f-\x9f<>\"(),:;\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.)?[A-Za-z0-9.-]{1,180}"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

Decide = Callable[["Machine", State, Any, RawMessage, View], Turn]


class Machine:
    """The machine of one account."""

    def __init__(self, account: str, options: Options) -> None:
        self.account, self.options = account, options

    def step(self, kept: bytes | None, raw: RawMessage, view: View) -> Turn:
        """Decide one turn. Raises: contract.Refused, with an `error` of the protocol as the answer."""
        known = state.read(kept)
        upload = raw.envelope.get("upload")
        if isinstance(upload, dict):
            _check_heard(view, upload["id"])
            self._check_person(known, raw, view, upload["id"])
            self.check_agreed(known, upload["id"])
            return _uploaded(known, upload, view)
        said = protocol.read(raw.body)
        _check_heard(view, getattr(said, "id", ""))
        if not isinstance(said, protocol.Identify):
            self._check_person(known, raw, view, getattr(said, "id", ""))
        return _VERBS[type(said)](self, known, said, raw, view)

    def _check_person(self, known: State, raw: RawMessage, view: View, about: str) -> None:
        """See whether who it is has to be proven, and is. Raises: contract.Refused."""
        if self.options.identity.required and not _is_proven(known, raw, view):
            raise refused("identity_required", "Only visitors who are signed in may write here.", about)

    def line(self, known: State, said: protocol.Line, raw: RawMessage, view: View) -> Turn:
        """Keep what the visitor wrote."""
        self._check_asked(known, said, view)
        text = _CONTROL.sub(" ", said.text).strip()
        files = self._files(known, said, raw)
        if not text and not files:
            raise refused("bad_message", "A line needs words or a file.", said.id)
        if len(text) > self.options.text_max:
            raise refused("too_long", f"A line has {self.options.text_max} characters at most.", said.id)
        rest = {name: each for name, each in known.uploads.items() if name not in said.files}
        after = msgspec.structs.replace(
            known, uploads=rest, locale=said.locale or known.locale, page=said.page or known.page
        )
        details = {
            "text": text,
            "name": known.name,
            "files": msgspec.to_builtins(files),
            "context": {name: _CONTROL.sub(" ", each) for name, each in said.context.items()},
            **_proven(known, raw, view),
        }
        line = Line(author="customer", text=text, name=known.name, files=files, id=said.id)
        return Turn(
            state=state.written(after),
            reply=_ack(said.id, view, lines=1),
            happened=(Happened("line", view.at, details),),
            lines=(line,),
        )

    def check_agreed(self, known: State, about: str) -> None:
        """See whether they have agreed to what stands before all that is kept of them. Raises: contract.Refused."""
        if agreement.is_missing(self.options.consent, known.consent):
            raise refused("consent_required", "The visitor has to agree first.", about)

    def _check_asked(self, known: State, said: protocol.Line, view: View) -> None:
        """See whether something is to be asked first. Raises: contract.Refused."""
        self.check_agreed(known, said.id)
        is_away = view.availability.state == "later" and self.options.contact == "when_away"
        if is_away and not known.has_contact:
            raise refused("contact_required", "Nobody is there now: where may the answer go?", said.id)

    def _files(self, known: State, said: protocol.Line, raw: RawMessage) -> tuple[LineFile, ...]:
        if len(said.files) > self.options.files.per_line:
            raise refused(
                "too_many_files", f"A line has {self.options.files.per_line} files at most.", said.id
            )
        if any(each not in known.uploads for each in said.files):
            raise refused("unknown_file", "A file has to be uploaded again.", said.id)
        return tuple(
            LineFile(each.name, each.content_type, each.size, upload_key(raw.lane, name))
            for name, each in ((name, known.uploads[name]) for name in dict.fromkeys(said.files))
        )

    def consent(self, known: State, said: protocol.Consent, raw: RawMessage, view: View) -> Turn:
        """Keep what the visitor agreed to, with the words that they saw."""
        asked = self.options.consent
        if said.version != asked.asked:
            raise refused("bad_message", "That is not the text that is asked for now.", said.id)
        details = agreement.kept(asked, known.locale or str(raw.envelope.get("locale", "")))
        after = msgspec.structs.replace(known, consent=said.version)
        return _quiet(after, said.id, view, Happened("consent", view.at, details))

    def contact(self, known: State, said: protocol.Contact, raw: RawMessage, view: View) -> Turn:
        """Keep where the answer may go: as it was written, proven by nothing."""
        email, name = said.email.strip(), _CONTROL.sub(" ", said.name).strip()
        if email and not _ADDRESS.fullmatch(email):
            raise refused("bad_message", "That is no address.", said.id)
        after = msgspec.structs.replace(known, email=email or known.email, name=name or known.name)
        details = {"email": after.email, "name": after.name}
        return _quiet(after, said.id, view, Happened("contact", view.at, details))

    def identify(self, known: State, said: protocol.Identify, raw: RawMessage, view: View) -> Turn:
        """Take the site's word for who it is."""
        try:
            proof = identity.verified(said.jwt, self.options.identity, audience=self.account, now=view.at)
        except identity.Refused as error:
            raise refused("identity_refused", "That does not prove who you are.", said.id) from error
        # Who was let into a chat by a link is nobody that its first visitor would then be, too.
        if known.subject != proof.subject and (known.subject or view.is_alias):
            raise refused("identity_refused", "This chat is somebody else's.", said.id)
        proven = state.with_proof(known, raw.lane, proof.expires_at, now_s=view.at.timestamp())
        after = msgspec.structs.replace(
            proven, subject=proof.subject, proven_email=proof.email, name=proof.name or known.name
        )
        details = {"subject": proof.subject, "email": proof.email, "name": after.name}
        turn = _quiet(after, said.id, view, Happened("identified", view.at, details))
        return msgspec.structs.replace(turn, person=proof.subject)

    def resume(self, known: State, said: protocol.Resume, raw: RawMessage, view: View) -> Turn:
        """Show the chat that a link of ours opens; which it is has been looked up."""
        if self.options.identity.required:  # a mailbox is no proof of who reads it
            raise refused("link_refused", "Here only signing in on the site opens a chat.", said.id)
        if view.is_elsewhere:
            raise refused(
                "link_elsewhere", "This link opens another chat than the one that is here.", said.id
            )
        if not view.is_linked:
            raise refused("link_refused", "This link opens no chat here, or not any more.", said.id)
        return _quiet(known, said.id, view, Happened("resumed", view.at))

    def transcript(self, known: State, said: protocol.Transcript, raw: RawMessage, view: View) -> Turn:
        """Have the chat mailed to the address that is known."""
        if not known.has_contact:
            raise refused("contact_required", "Where shall it be sent?", said.id)
        return _quiet(known, said.id, view, Happened("transcript", view.at))

    def forget(self, known: State, said: protocol.Forget, raw: RawMessage, view: View) -> Turn:
        """Have nothing of the chat shown any more."""
        return _quiet(state.NEW, said.id, view, Happened("forgotten", view.at))

    def end(self, known: State, said: protocol.End, raw: RawMessage, view: View) -> Turn:
        """End the chat; a further line opens it again."""
        return Turn(
            state=state.written(known),
            reply=_ack(said.id, view, lines=1),
            happened=(Happened("ended", view.at, {"reason": "customer"}),),
            lines=(Line(author="system", code=ENDED),),
        )


_VERBS: Mapping[type, Decide] = {
    protocol.Line: Machine.line,
    protocol.Consent: Machine.consent,
    protocol.Contact: Machine.contact,
    protocol.Identify: Machine.identify,
    protocol.End: Machine.end,
    protocol.Resume: Machine.resume,
    protocol.Transcript: Machine.transcript,
    protocol.Forget: Machine.forget,
}


def refused(code: str, text: str, about: str) -> contract.Refused:
    """Return what says no to a turn. about: the id of what the page said."""
    return contract.Refused(protocol.text_of(protocol.Failed(code=code, text=text, id=about)))


def keys_of(account: str, session: str, said: protocol.Turned) -> tuple[str, ...]:
    """Name a turn so that saying it again has the same name. A proof has more: it counts once, in whatever chat."""
    own = f"{session}:{said.id}"
    if not isinstance(said, protocol.Identify):
        return (own,)
    return own, own_proof(session, said), f"chat:{account}:jti:{identity.jti_of(said.jwt)}"


def own_proof(session: str, said: protocol.Identify) -> str:
    """Name a proof as this chat's: a page that is loaded again may bring the one that it brought before."""
    return f"{session}:jti:{identity.jti_of(said.jwt)}"


def upload_key(session: str, upload_id: str) -> str:
    """Name an upload: it is found by it, and kept once. session: the lane of its raw message."""
    return f"{session}:{upload_id}"


def _check_heard(view: View, about: str) -> None:
    """See whether the desk takes anything from here. Raises: contract.Refused."""
    if view.is_blocked:
        raise refused("blocked", "Nothing is taken from here.", about)


def _uploaded(known: State, upload: Mapping[str, Any], view: View) -> Turn:
    at = int(view.at.timestamp())
    kept = Upload(upload["name"], upload["content_type"], upload["size"], at)
    told = {name: upload[name] for name in ("id", "name", "content_type", "size")}
    return Turn(
        state=state.written(state.with_upload(known, upload["id"], kept)),
        reply=msgspec.json.encode(told).decode(),
        happened=(Happened("uploaded", view.at, told),),
    )


def _is_proven(known: State, raw: RawMessage, view: View) -> bool:
    """Whether the site's word for who speaks holds. raw: of the browser that has to have brought it."""
    return identity.is_held(known.proven_until(raw.lane), now=view.at)


def _proven(known: State, raw: RawMessage, view: View) -> dict[str, str]:
    """Return who the visitor is by the site's word, as long as it holds; {} = nobody says so."""
    if not _is_proven(known, raw, view):
        return {}
    return {"subject": known.subject, "email": known.proven_email}


def _quiet(after: State, about: str, view: View, happened: Happened) -> Turn:
    """Return a turn that says nothing to the feed."""
    return Turn(state=state.written(after), reply=_ack(about, view, lines=0), happened=(happened,))


def _ack(about: str, view: View, *, lines: int) -> str:
    return protocol.text_of(protocol.Ack(about, view.last_seq + lines, wire.instant(view.at)))
