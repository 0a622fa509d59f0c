"""What is kept of a chat between its turns: a small value, as JSON, that every version of this program can read."""

import msgspec

UPLOADS_MAX = 30  # that no line has named yet; the oldest is forgotten
UPLOAD_LIVES_S = 86_400
PROOFS_MAX = 20  # browsers of one person, each by its own proof; the oldest has to bring another


class Upload(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that came and is named by no line yet. at: Unix seconds."""

    name: str
    content_type: str
    size: int
    at: int


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """consent: the version agreed to, None = to none. email: as the visitor wrote it, proven by nothing.

    subject, proven_email: who they are as the site vouches, "" = nobody does. proofs: which browsers have brought its word,
    by the session of their token -> until when (Unix seconds): who came in by a link, or has signed out, is not them.
    locale, page: of the last line. uploads: id -> file.
    """

    consent: str | None = None
    email: str = ""
    name: str = ""
    subject: str = ""
    proven_email: str = ""
    proofs: dict[str, int] = {}
    locale: str = ""
    page: str = ""
    uploads: dict[str, Upload] = {}

    @property
    def has_contact(self) -> bool:
        return bool(self.email or self.proven_email)

    def proven_until(self, lane: str) -> int:
        """Return until when the site's word for one browser counts, Unix seconds; 0 = it has brought none."""
        return self.proofs.get(lane, 0) if self.subject else 0


NEW = State()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(State).decode


def read(kept: bytes | None) -> State:
    """Return what was kept; a new state for None, and for what cannot be read: a chat goes on whatever happens."""
    if kept is None:
        return NEW
    try:
        return _decode(kept)
    except (msgspec.DecodeError, UnicodeError):
        return NEW


def written(state: State) -> bytes:
    return _encode(state)


def with_proof(state: State, lane: str, until: int, *, now_s: float) -> State:
    """Return the state with what a browser has brought; what is over is forgotten."""
    held = {name: each for name, each in state.proofs.items() if each > now_s and name != lane}
    kept = dict(list(held.items())[-(PROOFS_MAX - 1) :])
    return msgspec.structs.replace(state, proofs=kept | {lane: until})


def with_upload(state: State, upload_id: str, upload: Upload) -> State:
    """Return the state with a file that came; old ones that nobody named are forgotten."""
    fresh = {name: each for name, each in state.uploads.items() if upload.at - each.at < UPLOAD_LIVES_S}
    kept = dict(list(fresh.items())[-(UPLOADS_MAX - 1) :])
    return msgspec.structs.replace(state, uploads=kept | {upload_id: upload})
