"""What an admin may set on an account of kind webhook. Times in seconds, sizes in bytes."""

import base64
import binascii
import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from channels.webhook import mapping as pointers
from channels.webhook.signature import Scheme

MIN_SECRET_CHARS = 16
_HEADER = re.compile(r"[a-z][a-z0-9-]{0,63}")


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the account; a key it does not know is refused."""


class Files(Section, frozen=True):
    """Files that the source keeps. at: of the list; url, name: within each of its items. hosts: of the only ones, () = any."""

    at: str
    url: str = "/url"
    name: str = ""
    hosts: tuple[str, ...] = ()


class Mapping(Section, frozen=True, rename={"from_": "from"}):
    """What of a source's JSON is what of a message (channels.webhook.mapping). id: by which it is known when it comes twice.

    from: an email address; phone: in E.164; both may be there, the address is the sender then. headers: what rules may ask
    for as header.NAME.
    """

    text: str
    from_: str = ""
    phone: str = ""
    name: str = ""
    subject: str = ""
    id: str = ""
    language: str = ""
    sent_at: str = ""
    headers: dict[str, str] = {}

    def __post_init__(self) -> None:
        written = {name: getattr(self, name) for name in self.__struct_fields__ if name != "headers"}
        for name, value in (written | self.headers).items():
            for fault in pointers.faults(value):
                raise ValueError(f"{name.rstrip('_')}: {fault}")
        if self.id and not pointers.pointers_of(self.id):
            raise ValueError(
                f"id: '{self.id}' is the same for every message, and one alone would be kept: it is written like /id"
            )
        for name in self.headers:
            if not _HEADER.fullmatch(name):
                raise ValueError(f"'{name}' cannot name a header: small letters, digits and -")


class Options(Section, frozen=True):
    """secrets: any of them may sign. scheme: how the source signs (channels.webhook.signature).

    only: pointer -> the values that make a message of what comes; everything else is answered and not kept. vouches: the
    source has proven who writes, they are signed in there. example: what the source posts, for `intake check` to try.
    addresses: ours, that answers come from. tolerance_s: how old or early a signature may be.
    """

    secrets: tuple[str, ...]
    mapping: Mapping
    scheme: Scheme = "intake"
    only: dict[str, tuple[str | int | bool, ...]] = {}
    files: Files | None = None
    vouches: bool = False
    example: dict[str, Any] | None = None
    addresses: tuple[str, ...] = ()
    delimiter: str = "+"
    tolerance_s: Annotated[float, Meta(gt=0, le=86_400)] = 300
    max_size_bytes: Annotated[int, Meta(ge=100, le=26_214_400)] = 1_048_576
    max_bytes_in_flight: int = 67_108_864
    body_timeout_s: Annotated[float, Meta(gt=0, le=600)] = 30

    def __post_init__(self) -> None:
        if not self.secrets:
            raise ValueError('nothing would be believed: set secrets: ["${SHOP_SECRET}"]')
        for secret in self.secrets:
            if not _is_strong(self.scheme, secret):
                raise ValueError(
                    f"a secret has at least {MIN_SECRET_CHARS} characters: openssl rand -hex 32 makes one"
                )
        places = [
            *self.only,
            *(filter(None, (self.files.at, self.files.url, self.files.name)) if self.files else ()),
        ]
        for each in places:
            if not pointers.is_pointer(each):
                raise ValueError(f"'{each}' is not a JSON Pointer: it is written like /order/number")
        if self.max_bytes_in_flight < self.max_size_bytes:
            raise ValueError("max_bytes_in_flight must hold at least one body of max_size_bytes")

    def __repr__(self) -> str:
        return f"Options(secrets={len(self.secrets)}, scheme={self.scheme!r}, mapping={self.mapping!r})"


def _is_strong(scheme: Scheme, secret: str) -> bool:
    if scheme == "standard" and secret.startswith("whsec_"):
        try:
            return len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) >= MIN_SECRET_CHARS
        except binascii.Error:
            return False
    return len(secret) >= MIN_SECRET_CHARS
