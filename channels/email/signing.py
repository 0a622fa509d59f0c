"""Signs outgoing mail (DKIM, RFC 6376; Ed25519: RFC 8463) with keys of ours; needs the extra `dkim`.

relaxed/relaxed, so that a relay may refold what it likes. The headers that say who, to whom, what and which mail are
signed once more than they occur: nobody can add a second one (RFC 6376 §8.15). No body length, no expiry. The instant is
the mail's own, so that a retry sends the same bytes.
"""

import asyncio
import base64
import functools
import os
import re
import stat
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from channels import contract
from channels.email import signatures

# Signed once more than they occur, also when they do not.
_SIGNED = (
    *("from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references"),
    *("auto-submitted", "mime-version", "content-type", "content-transfer-encoding"),
)
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_MAX_KEY_BYTES = 20_000
_LINE_CHARS = 72
_SPACES = re.compile(rb"[ \t]+")
_NEXT_FIELD = re.compile(rb"\r\n(?![ \t])")


class Dkim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key. domain: whose mail it signs, its subdomains' too; key_file: PEM, RSA or Ed25519.

    selector: the public key stands in DNS at SELECTOR._domainkey.DOMAIN.
    """

    domain: str
    selector: str
    key_file: str

    def __post_init__(self) -> None:
        if not _DOMAIN.fullmatch(self.domain):
            raise ValueError(f"dkim.domain is written like example.com, not '{self.domain}'")
        if not _SELECTOR.fullmatch(self.selector):
            raise ValueError(f"dkim.selector is one name like intake2026, not '{self.selector}'")

    def covers(self, address: str) -> bool:
        """Whether a signature of this key is aligned with a From of this address (RFC 7489 §3.1.1, relaxed)."""
        domain = address.rpartition("@")[2].lower()
        return domain == self.domain or domain.endswith(f".{self.domain}")


class KeyProblem(Exception):
    """A key cannot sign: which file, why, and what to do."""


async def signed(content: bytes, *, from_address: str, created_at: datetime, keys: Iterable[Dkim]) -> bytes:
    """Return the mail with a signature of each key that covers its From, in a thread.

    Raises: KeyProblem; a mail that was to be signed does not leave without.
    """
    wanted = [key for key in keys if key.covers(from_address)]
    return await asyncio.to_thread(_signed, content, created_at, wanted) if wanted else content


def check(keys: Iterable[Dkim], addresses: Iterable[str]) -> list[contract.Problem]:
    """Tell which key cannot sign, and which of our addresses no key covers. Reads the keys; asks no DNS."""
    problems = []
    keys = tuple(keys)
    for key in keys:
        try:
            _private_key(key)
        except KeyProblem as problem:
            problems.append(contract.Problem(str(problem), "docs/mail.md tells how to make one"))
    for address in addresses:
        if keys and not any(key.covers(address) for key in keys):
            sentence = f"mail from {address} is not signed: no dkim key is for its domain"
            problems.append(
                contract.Problem(sentence, "add a key for that domain under outgoing.dkim", "warning")
            )
    return problems


def _signed(content: bytes, created_at: datetime, keys: Sequence[Dkim]) -> bytes:
    head, _, body = content.partition(b"\r\n\r\n")
    fields = [_relaxed_field(field) for field in _NEXT_FIELD.split(head)]
    body_hash = base64.b64encode(sha256(_relaxed_body(body)).digest()).decode()
    made = [_signature(fields, body_hash, created_at, key) for key in keys]
    return "".join(made).encode("ascii") + content


def _relaxed_field(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    return signatures.relaxed_field((name, value)).removesuffix(b"\r\n")


def _relaxed_body(body: bytes) -> bytes:
    """Write a body, whose lines end in CRLF, as RFC 6376 §3.4.4 has it."""
    text = _SPACES.sub(b" ", body).replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def _signature(fields: Sequence[bytes], body_hash: str, created_at: datetime, key: Dkim) -> str:
    """Return the header field, with its line end. fields: relaxed."""
    algorithm, sign = _private_key(key)
    by_name = [(field.partition(b":")[0].decode("ascii", "replace"), field) for field in fields]
    covered = [(name, field) for name, field in by_name if name in _SIGNED]
    names = [*(name for name, _ in covered), *_SIGNED]
    value = (
        f" v=1; a={algorithm}; c=relaxed/relaxed; d={key.domain};\r\n"
        f" s={key.selector}; t={int(created_at.timestamp())};\r\n"
        f" h={_lines([f'{name}:' for name in names])[:-1]};\r\n"
        f" bh={body_hash};\r\n"
        " b="
    )
    text = b"\r\n".join(
        [field for _, field in covered] + [_relaxed_field(b"DKIM-Signature:" + value.encode())]
    )
    return f"DKIM-Signature:{value}{_lines(base64.b64encode(sign(text)).decode())}\r\n"


def _lines(pieces: Iterable[str]) -> str:
    """Join pieces to lines that are folded between them."""
    lines = [""]
    for piece in pieces:
        if len(lines[-1]) + len(piece) > _LINE_CHARS:
            lines.append("")
        lines[-1] += piece
    return "\r\n ".join(lines)


def _private_key(key: Dkim) -> Any:
    """Return the algorithm of a key, and what signs with it. Raises: KeyProblem, with nothing of the key in it."""
    secret = _read(key.key_file)
    try:
        return _loaded(secret)
    except ImportError:
        raise KeyProblem("mail cannot be signed: pip install 'intaked[dkim]'") from None
    except Exception:  # noqa: BLE001 - whatever is met in a file, nothing of it may be in what we say
        raise KeyProblem(
            f"{key.key_file} is no key that can sign: it must be RSA of 1024 bits at least, or Ed25519, in PEM"
        ) from None


@functools.lru_cache(maxsize=16)
def _loaded(secret: bytes) -> Any:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

    if secret.startswith(b"-----BEGIN"):
        private: Any = serialization.load_pem_private_key(secret, password=None)
    else:  # as dkimpy's dknewkey writes it
        private = ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret, validate=True))
    if isinstance(private, ed25519.Ed25519PrivateKey):
        # RFC 8463 §3: what is signed is the hash.
        return "ed25519-sha256", lambda text: private.sign(sha256(text).digest())
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < signatures.RSA_BITS_MIN:
        raise ValueError("no key for mail")
    return "rsa-sha256", lambda text: private.sign(text, padding.PKCS1v15(), hashes.SHA256())


def _read(path: str) -> bytes:
    """Read a key that nobody else may read. It is read for every mail: a renewed key signs from then on."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read(_MAX_KEY_BYTES)
    except OSError as error:
        raise KeyProblem(f"the dkim key {path} cannot be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyProblem(f"others may read the dkim key {path}: chmod 600 {Path(path).name}")
    return secret.strip()
