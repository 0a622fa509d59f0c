"""What a visitor's page and the daemon say to each other: JSON objects with `t`, over a WebSocket, or over HTTP alone.

    GET  /chat/<account>/socket        the WebSocket; its first message is `hello`, within HELLO_WITHIN_S
    POST /chat/<account>/send          one object of the visitor's, not `hello`; 200 and the answers, an array
    GET  /chat/<account>/stream        the same objects of ours as server-sent events (fetch, not EventSource), from
                                       ?after=<seq>: `data:` is one object, `id:` its seq where it has one
    POST /chat/<account>/upload        ?id=<uuid>&name=<file name>, the bytes as the body; 200 {"id", "name",
                                       "content_type", "size"}; the id is then named in a line, within a day; 409 consent_required
                                       before what is asked for is agreed to: nothing of the file is kept then
    GET  /chat/<account>/file/<seq>/<n>   the n-th file of a line, from 0; always a download
    GET  /chat/<account>/transcript    ?as=txt|html: all lines, a download
    POST /chat/<account>/transcript    as `transcript`; 202, or 409 where no address is known
    POST /chat/<account>/forget        as `forget`; 202
    GET  /chat/<account>/status.json   Status; no token; may be kept 30 s
    GET  /chat/<account>/settings.json    texts, limits, colours; no token; may be kept 5 minutes

Origin. Each of these, the WebSocket too, answers only pages of the account's `origins`; a missing, `null` or other
Origin is 403 before anything else is looked at. (A page of our own origin sends none with GET: there
`Sec-Fetch-Site: same-origin` stands for it, when our origin is in the list.) CORS is exact, without credentials.

Token. 256 random bits that the page makes at the first send, base64url without padding (43 characters). It is in
`Authorization: Bearer <token>` and in `hello`, never in a URL. The daemon keeps a hash of it: the name of the session. A
token that was never used names a session that is empty: whoever changes one bit of a token has a new, empty chat. A
token of another form is refused: HTTP 401, WebSocket close code 4401.

The visitor says (`id`: a UUID of the page's, the same at each try of the same thing):

    hello     {token, after, locale, page}   what is wanted: lines with a number > after. locale: BCP 47; page: its URL
    line      {id, text, files, context, work}   files: ids of uploads; context: what the page knows, name -> text
    typing    {}                             at most every 3 s; oftener than every 2 s it is not passed on
    got       {seq}                          every line up to seq has come to the page
    read      {seq}                          … and was on the screen
    consent   {id, version}                  agrees to the consent text of that version
    contact   {id, email, name}              where the answer may go, and to whom
    identify  {id, jwt}                      proof of who it is, signed by the site
    end       {id}                           the chat is over; a further line opens it again
    resume    {id, link}                     a page that was opened by a link of ours (#chat=<link>) and has no lines yet
              shows the link's chat from now on. link_elsewhere: it has lines, of another chat; what it may do, when its
              visitor wants to, is to begin a chat with a new token, and resume there
    transcript {id}                          the chat by mail, to the address that is known
    forget    {id}                           nothing of the chat is shown any more, to nobody; what the desk has stays there
    ping      {}                             is somebody there? A page that hears nothing for PONG_WITHIN_S reconnects

What has an id may have `work` as well, after `work_required`.

The daemon says:

    welcome   {seq, at, status, consent, has_contact, is_identified, is_ended, read, protocol}   first, on each connection, and
              again when a link or a proof has made it show the chat of another device. seq: the last number there is, 0 = none. consent: the version agreed to, null = none. read: the last of the
              visitor's lines that an agent has seen
    ack       {id, seq, at}                  it is on disk. seq: of the line; of other things the last number
    line      {seq, at, author, name, text, files, id, code, replies}   author: customer, agent, system. id: the page's,
              "" = not of a page. code: of a system's line that the page has words of its own for (ENDINGS). files: [{n, name,
              content_type, size}]. replies: what may be pressed instead of typing, in the visitor's language
    typing    {name}                         an agent writes; it holds for 6 s
    read      {seq}                          an agent has seen the visitor's lines up to seq
    status    {…}                            Status, when it changes
    ended     {seq, reason}                  the chat is over: customer, idle, agent
    error     {code, text, id, retry_after_s}   see below. id: of what it is about, "" = of nothing
    pong      {}

Order and loss. Lines of both sides are numbered together, 1, 2, 3 …, in the transaction that keeps them. On one
connection they come in order without a gap, those from before first, then live; a page drops what it has (seq <= its last)
and reconnects with `after` when it finds a gap; where `welcome` has a lower last number than the page, it is the page that
is wrong, and begins at that one. The number is the only thing that says where one is: never a time. A
line that the visitor wrote comes in the feed of all its tabs, of the sender too, with its `id`: before the `ack` or after it.
What has no `ack` is said again with the same `id`, for ever, after 1 s at first and 60 s at most, with jitter: it is kept
once, and answered as it was answered. A page has one line under way at a time, so that a retry changes no order.

Work. While there is a flood from many addresses, an error `work_required` has work: {text, bits, parts}. The page looks for
`parts` numbers, n[0] …, such that the SHA-256 of the ASCII text `<text>:<i>:<n[i]>` begins with `bits` zero bits, and says the
same again with the same id and `work: "<text>:<n[0]>,<n[1]>,…"`, within three minutes. For an upload that is 428, and
?work= of the same address. Whoever the site vouches for is not asked, nor is `identify`.

Errors. Said again later: unavailable, rate_limited (not before retry_after_s). Said again when the visitor has done
something: consent_required, contact_required, identity_required; when the page has: work_required. Never: bad_message, too_long, too_many_files,
unknown_file (it has to be uploaded again), identity_refused, link_refused, link_elsewhere, blocked. HTTP: 400 bad_message, 401 token, 403 origin, 404, 413, 415, 428, 429 and 503
with Retry-After; the body is an `error` object. A code that a page does not know: final.

Close codes of the WebSocket: 1001 the daemon stops (reconnect), 1008 the first message was no hello, 1009 too big, 1013 too
many connections (reconnect), 4401 the token, 4408 nothing was read for too long. A page reconnects after all but 4401.

Pace: of one socket 500 objects at once, then 50 a second; what comes quicker is read later.

Sizes: an object <= OBJECT_MAX_BYTES; text <= TEXT_MAX characters; files <= FILES_MAX a line. Objects may gain keys:
both sides pass over those that they do not know.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

PROTOCOL = 1
HELLO_WITHIN_S = 10.0
PONG_WITHIN_S = 20.0
TYPING_HOLDS_S = 6.0
OBJECT_MAX_BYTES = 65_536
TEXT_MAX = 8_000
FILES_MAX = 5
SEQ_MAX = 2**53 - 1  # what JavaScript counts exactly

Id = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", max_length=36)
]
Seq = Annotated[int, Meta(ge=0, le=SEQ_MAX)]
# No control character is in an address or a language; PostgreSQL could not even keep a NUL.
_PLAIN = r"^[^\x00-\x1f\x7f-\x9f]*$"
Page = Annotated[str, Meta(max_length=2_000, pattern=_PLAIN)]
Locale = Annotated[str, Meta(max_length=35, pattern=_PLAIN)]
# What the page has worked out, "" = nothing was asked for.
Worked = Annotated[str, Meta(max_length=200)]
# What the page tells of its visitor, as name -> text: for agents and rules to read, proof of nothing.
Context = Annotated[
    dict[
        Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$", max_length=40)],
        Annotated[str, Meta(max_length=200)],
    ],
    Meta(max_length=20),
]
Author = Literal["customer", "agent", "system"]
Reason = Literal["customer", "idle", "agent"]
# The code of a line after which a chat is over -> why.
ENDINGS: dict[str, Reason] = {"ended_customer": "customer", "ended_idle": "idle", "ended_agent": "agent"}


class Hello(msgspec.Struct, frozen=True, tag_field="t", tag="hello"):
    """See the module docstring, as for all of these."""

    token: Annotated[str, Meta(max_length=64)]
    after: Seq = 0
    locale: Locale = ""
    page: Page = ""


class Line(msgspec.Struct, frozen=True, tag_field="t", tag="line"):
    """What the visitor wrote. page, locale: where and how, known on a socket from its hello. context: by the page's own word."""

    id: Id
    text: str = ""
    files: Annotated[tuple[Id, ...], Meta(max_length=50)] = ()
    page: Page = ""
    locale: Locale = ""
    context: Context = {}
    work: Worked = ""


class Typing(msgspec.Struct, frozen=True, tag_field="t", tag="typing"):
    pass


class Got(msgspec.Struct, frozen=True, tag_field="t", tag="got"):
    seq: Seq


class Read(msgspec.Struct, frozen=True, tag_field="t", tag="read"):
    seq: Seq


class Consent(msgspec.Struct, frozen=True, tag_field="t", tag="consent"):
    id: Id
    version: Annotated[str, Meta(min_length=1, max_length=64)]
    work: Worked = ""


class Contact(msgspec.Struct, frozen=True, tag_field="t", tag="contact"):
    id: Id
    email: Annotated[str, Meta(max_length=254)] = ""
    name: Annotated[str, Meta(max_length=100)] = ""
    work: Worked = ""


class Identify(msgspec.Struct, frozen=True, tag_field="t", tag="identify"):
    id: Id
    jwt: Annotated[str, Meta(max_length=8_192)]


class End(msgspec.Struct, frozen=True, tag_field="t", tag="end"):
    id: Id
    work: Worked = ""


class Resume(msgspec.Struct, frozen=True, tag_field="t", tag="resume"):
    id: Id
    link: Annotated[str, Meta(max_length=200)]
    work: Worked = ""


class Transcript(msgspec.Struct, frozen=True, tag_field="t", tag="transcript"):
    id: Id
    work: Worked = ""


class Forget(msgspec.Struct, frozen=True, tag_field="t", tag="forget"):
    id: Id
    work: Worked = ""


class Ping(msgspec.Struct, frozen=True, tag_field="t", tag="ping"):
    pass


Visitor = (
    Hello
    | Line
    | Typing
    | Got
    | Read
    | Consent
    | Contact
    | Identify
    | End
    | Resume
    | Transcript
    | Forget
    | Ping
)
# What is a turn of the session: journalled, acknowledged, answered alike when it is said again.
Turned = Line | Consent | Contact | Identify | End | Resume | Transcript | Forget


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Whether somebody is there. Instants: RFC 3339.

    is_open: somebody is there. is_live: one of them has capacity for a chat now. next_open: when somebody is there next,
    None = they are, or nobody knows. answered_by: by when an answer comes while nobody is there. wait_s: how long an answer
    takes, (half, four of five), None = nobody can say. incident: language -> text.
    """

    at: str
    is_open: bool
    is_live: bool
    next_open: str | None = None
    answered_by: str | None = None
    wait_s: tuple[int, int] | None = None
    incident: dict[str, str] = {}


class LineFile(msgspec.Struct, frozen=True):
    """A file of a line. n: from 0; size: bytes."""

    n: int
    name: str
    content_type: str
    size: int


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="welcome"):
    seq: int
    at: str
    status: Status
    consent: str | None = None
    has_contact: bool = False
    is_identified: bool = False
    is_ended: bool = False
    read: int = 0
    protocol: int = PROTOCOL


class Ack(msgspec.Struct, frozen=True, tag_field="t", tag="ack"):
    id: str
    seq: int
    at: str


class Said(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="line"):
    seq: int
    at: str
    author: Author
    name: str = ""
    text: str = ""
    files: tuple[LineFile, ...] = ()
    id: str = ""
    code: str = ""
    replies: tuple[str, ...] = ()


class AgentTypes(msgspec.Struct, frozen=True, tag_field="t", tag="typing"):
    name: str = ""


class AgentRead(msgspec.Struct, frozen=True, tag_field="t", tag="read"):
    seq: int


class StatusChanged(Status, frozen=True, kw_only=True, tag_field="t", tag="status"):
    pass


class Ended(msgspec.Struct, frozen=True, tag_field="t", tag="ended"):
    seq: int
    reason: Reason


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="error"):
    code: str
    text: str
    id: str = ""
    retry_after_s: int | None = None


class Work(msgspec.Struct, frozen=True):
    """What is to be worked out (channels.webchat.work)."""

    text: str
    bits: int
    parts: int


class WorkAsked(Failed, frozen=True, kw_only=True, tag_field="t", tag="error"):
    work: Work


class Pong(msgspec.Struct, frozen=True, tag_field="t", tag="pong"):
    pass


Daemon = Welcome | Ack | Said | AgentTypes | AgentRead | StatusChanged | Ended | Failed | WorkAsked | Pong

_decode = msgspec.json.Decoder(Visitor).decode
_encode = msgspec.json.Encoder().encode


class BadMessage(ValueError):
    """It is no object of the protocol. said: what is wrong with it, without repeating any of it."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def read(text: str | bytes) -> Visitor:
    """Return what the visitor said. Raises: BadMessage."""
    if len(text) > OBJECT_MAX_BYTES:
        raise BadMessage(f"an object has {OBJECT_MAX_BYTES} bytes at most")
    try:
        said: Visitor = _decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadMessage(_why(error)) from None
    return said


def _why(error: Exception) -> str:
    """Name the place of a mistake, which is ours to name, but no value, which is theirs."""
    _, found, place = str(error).partition(" - at ")
    return (
        f"this is no message of the protocol: look at {place}"
        if found
        else "this is no message of the protocol"
    )


class _Numbered(msgspec.Struct, frozen=True):
    t: str
    seq: int | None = None


_numbered = msgspec.json.Decoder(_Numbered).decode


def seq_of(text: str) -> int | None:
    """Return the number of a line of ours; None = it is something else."""
    found = _numbered(text)
    return found.seq if found.t == "line" else None


def failed(answer: str) -> Failed:
    """Return an error of ours that was written down."""
    return msgspec.json.decode(answer, type=Failed)


def ack(answer: str) -> Ack:
    """Return an acknowledgement of ours that was written down."""
    return msgspec.json.decode(answer, type=Ack)


def text_of(said: Daemon) -> str:
    """Return an object of ours as it is sent."""
    return _encode(said).decode()
