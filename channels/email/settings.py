"""What an admin may set on an account of kind email.smtp. Times in seconds, sizes in bytes."""

from typing import Literal

import msgspec

from channels.email import message, send

MAX_SIZE_BYTES = 26_214_400  # 25 MiB, what large providers send at most
_MAX_BYTES_IN_FLIGHT = 268_435_456


class Tls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """certificate: PEM file with the chain; key: PEM file, "" = it is in the certificate's file."""

    certificate: str
    key: str = ""


class Auth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """users: name -> password. required: no mail without AUTH. Passwords go over TLS only, but for the exception named."""

    users: dict[str, str]
    required: bool = False
    allow_plain_on_loopback: bool = False

    def __repr__(self) -> str:
        return f"Auth(users={sorted(self.users)}, required={self.required})"


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A spam filter that is asked before the answer to DATA.

    address: "host:port" or "unix:/path". reject_above: a score above it is refused with 550; None = the score is a
    fact for the rules and nothing more. on_failure: what happens to mail while the filter gives no answer.
    """

    kind: Literal["rspamd", "spamd", "milter"]
    address: str
    timeout_s: float = 10
    on_failure: Literal["accept", "tempfail"] = "accept"
    reject_above: float | None = None


class Options(message.Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """listen: "host:port" or "unix:/path". addresses: whose mail we take; "@example.com" is a whole domain.

    hostname: what we call ourselves in greetings, "" = the machine's name. max_bytes_in_flight: of all bodies being
    received at one time. command_timeout_s: the longest wait for a command; data_timeout_s: for a whole body.
    grace_s: how long mails under way may take to finish when the daemon stops.
    """

    listen: str = "127.0.0.1:2525"
    protocol: Literal["smtp", "lmtp"] = "smtp"
    addresses: tuple[str, ...] = ()
    delimiter: str = "+"
    hostname: str = ""
    max_size_bytes: int = MAX_SIZE_BYTES
    max_bytes_in_flight: int = _MAX_BYTES_IN_FLIGHT
    max_recipients: int = 100
    max_connections: int = 500
    max_connections_per_peer: int = 100
    command_timeout_s: float = 300
    data_timeout_s: float = 600
    grace_s: float = 10
    tls: Tls | None = None
    require_tls: bool = False
    auth: Auth | None = None
    filter: Filter | None = None
    outgoing: send.Options = send.Options()

    def __post_init__(self) -> None:
        _check_limits(self)
        if self.require_tls and self.tls is None:
            raise ValueError("require_tls needs tls: {certificate, key}")
        if self.require_tls and self.protocol == "lmtp":
            raise ValueError("require_tls is for smtp; an lmtp socket belongs on a unix path or on loopback")


def _check_limits(options: Options) -> None:
    for name in ("max_size_bytes", "max_recipients", "max_connections", "max_connections_per_peer"):
        if getattr(options, name) < 1:
            raise ValueError(f"{name} must be at least 1")
    for name in ("command_timeout_s", "data_timeout_s"):
        if getattr(options, name) <= 0:
            raise ValueError(f"{name} must be more than 0")
    if options.max_bytes_in_flight < options.max_size_bytes:
        raise ValueError("max_bytes_in_flight must hold at least one mail of max_size_bytes")
