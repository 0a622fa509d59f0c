"""Signs outgoing mail (DKIM, RFC 6376; Ed25519: RFC 8463) through dkimpy, which the extra `dkim` installs.

relaxed/relaxed, so that a relay may refold what it likes. The headers that say who, to whom, what and which mail are
signed once more than they occur: nobody can add a second one (RFC 6376 §8.15). No body length, no expiry.
"""

import asyncio
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec

from channels import contract

# Signed once more than they occur, also when they do not.
_SIGNED = (
    *("from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references"),
    *("auto-submitted", "mime-version", "content-type", "content-transfer-encoding"),
)
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_HEADER = re.compile(rb"(?m)^([A-Za-z0-9-]+):")
_MAX_KEY_BYTES = 20_000


class Dkim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key. domain: whose mail it signs, its subdomains' too; key: a file, PEM for RSA, base64 for Ed25519.

    selector: the public key stands in DNS at SELECTOR._domainkey.DOMAIN.
    """

    domain: str
    selector: str
    key: str

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


async def signed(content: bytes, from_address: str, keys: Iterable[Dkim]) -> bytes:
    """Return the mail with a signature of each key that covers its From, in a thread.

    Raises: KeyProblem; a mail that was to be signed does not leave without.
    """
    wanted = [key for key in keys if key.covers(from_address)]
    return await asyncio.to_thread(_signed, content, wanted) if wanted else content


def check(keys: Iterable[Dkim], addresses: Iterable[str]) -> list[contract.Problem]:
    """Tell which key cannot sign, and which of our addresses no key covers. Reads the keys; asks no DNS."""
    problems = []
    keys = tuple(keys)
    for key in keys:
        try:
            _sign_one(b"From: a@example.com\r\n\r\nx\r\n", key)
        except KeyProblem as problem:
            problems.append(contract.Problem(str(problem), "docs/mail.md tells how to make one"))
    for address in addresses:
        if keys and not any(key.covers(address) for key in keys):
            sentence = f"mail from {address} is not signed: no dkim key is for its domain"
            problems.append(
                contract.Problem(sentence, "add a key for that domain under outgoing.dkim", "warning")
            )
    return problems


def _signed(content: bytes, keys: list[Dkim]) -> bytes:
    return b"".join([_sign_one(content, key) for key in keys]) + content


def _sign_one(content: bytes, key: Dkim) -> bytes:
    try:
        import dkim
    except ImportError:
        raise KeyProblem("mail cannot be signed: dkimpy is missing; pip install 'intaked[dkim]'") from None
    secret = _read(key.key)
    is_rsa = b"-----BEGIN" in secret
    try:
        line = dkim.sign(
            content,
            key.selector.encode(),
            key.domain.encode(),
            secret,
            canonicalize=(b"relaxed", b"relaxed"),
            signature_algorithm=b"rsa-sha256" if is_rsa else b"ed25519-sha256",
            include_headers=_names(content),
        )
    except dkim.NaClNotFoundError:
        raise KeyProblem(f"{key.key} is an Ed25519 key: pip install pynacl") from None
    except Exception as error:  # noqa: BLE001 - whatever dkimpy meets in a key, the secret must not be in what we say
        raise KeyProblem(
            f"{key.key} cannot sign ({type(error).__name__}): it must be an RSA private key in PEM, or Ed25519 in base64"
        ) from None
    return bytes(line)


def _names(content: bytes) -> list[bytes]:
    present = [name.lower().decode() for name in _HEADER.findall(content.partition(b"\r\n\r\n")[0])]
    return [name.encode() for name in (*(one for one in present if one in _SIGNED), *_SIGNED)]


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
    return secret.replace(b"\r\n", b"\n").strip()
