"""What an admin may set on an account of kind email.imap. Times in seconds, sizes in bytes."""

import re
from typing import Literal

from channels.email import hosts, message, send
from channels.email.oauth2 import Options as OAuth2

Afterwards = Literal["keep", "mark", "move", "delete"]
Tls = Literal["implicit", "starttls", "none"]
_PORTS = {"implicit": 993, "starttls": 143, "none": 143}
# RFC 2177 §3: a server may log a client off after 30 minutes, so IDLE is begun again at least every 29.
MAX_IDLE_S = 1_500
# A flag is "\Seen" or a keyword: an atom, RFC 3501 §9.
_FLAG = re.compile(r"\\?[^\x00-\x20\x7f-\uffff(){%*\"\\\]]+")


class Options(message.Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """folders: which are watched, one connection each. start: whether what is there at the first start is taken.

    afterwards: what happens to a mail once it is stored; mark: the flag it gets, move_to: the folder it goes to.
    tls: "none" is for a server on this machine only. ca_file: PEM, instead of the system's authorities.
    idle_s: how long one IDLE lasts; poll_s: between two looks where the server has no IDLE. reconcile_s: between two
    counts of everything in the folder. max_size_bytes: a larger mail stays on the server and is reported.
    """

    host: str
    username: str
    port: int = 0
    tls: Tls = "implicit"
    ca_file: str = ""
    password: str = ""
    oauth2: OAuth2 | None = None
    folders: tuple[str, ...] = ("INBOX",)
    start: Literal["all", "new"] = "all"
    afterwards: Afterwards = "keep"
    mark: str = "\\Seen"
    move_to: str = ""
    idle_s: float = 240
    poll_s: float = 60
    reconcile_s: float = 3_600
    timeout_s: float = 60
    max_size_bytes: int = 52_428_800
    addresses: tuple[str, ...] = ()
    delimiter: str = "+"
    outgoing: send.Options = send.Options()

    def __post_init__(self) -> None:
        _check_access(self)
        _check_folders(self)
        for name in ("idle_s", "poll_s", "reconcile_s", "timeout_s", "max_size_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0")
        if self.idle_s > MAX_IDLE_S:
            raise ValueError(f"idle_s must be at most {MAX_IDLE_S}: servers end connections after 30 minutes")

    def __repr__(self) -> str:
        return f"Options(host={self.host!r}, username={self.username!r}, folders={self.folders!r})"

    @property
    def server_port(self) -> int:
        return self.port or _PORTS[self.tls]


def _check_access(options: Options) -> None:
    if not options.host or not options.username:
        raise ValueError("host and username must be set")
    if not 0 <= options.port <= 65_535:
        raise ValueError("port is a number up to 65535; 0 is the usual one")
    if bool(options.password) == (options.oauth2 is not None):
        raise ValueError("set either password or oauth2")
    if options.tls == "none" and not hosts.is_this_machine(options.host):
        raise ValueError("tls: none is for a server on this machine only; use implicit or starttls")


def _check_folders(options: Options) -> None:
    if not options.folders or len(set(options.folders)) != len(options.folders):
        raise ValueError("folders must name at least one folder, each once")
    if any(_has_controls(name) for name in (*options.folders, options.move_to, options.username)):
        raise ValueError("a name must not hold control characters")
    if options.afterwards == "move" and not options.move_to:
        raise ValueError("afterwards: move needs move_to, the folder that mails go to")
    if options.afterwards == "move" and options.move_to in options.folders:
        raise ValueError("move_to is a folder that is watched itself: name another one")
    if not _FLAG.fullmatch(options.mark):
        raise ValueError("mark is a flag like \\Seen or a word like Stored")


def _has_controls(text: str) -> bool:
    return any(character < " " or character == "\x7f" for character in text)
