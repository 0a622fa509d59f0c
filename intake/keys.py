"""Keys: keyed signatures for what leaves the house and comes back, keyed hashes for what must stay unique.

keys.json holds id -> key; the newest (the last in the file) signs and all of them verify, so that a key can be
replaced while references signed with the old one are still out there. The fingerprint key is never replaced: the
hashes made with it stand in the store for ever.
"""

import hmac
import os
import secrets
import stat
from hashlib import sha256
from pathlib import Path

import msgspec

from intake.store.durable import link_new, make_folder
from intake.store.engine import StoreError

KEY_BYTES = 32
MAC_CHARACTERS = 26  # 128 bits of HMAC-SHA256 in base32 (RFC 4648 §6), lower case, without padding

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)


class KeysFile(msgspec.Struct, frozen=True):
    """What keys.json holds, base64. signing: in order of age, the newest last."""

    signing: dict[str, bytes]
    fingerprint: bytes


class Keys:
    """Signs, verifies and fingerprints. Safe in several threads; costs about 3 µs a call."""

    def __init__(self, file: KeysFile) -> None:
        self._signing = {key_id: _keyed(key) for key_id, key in file.signing.items()}
        self._newest = next(reversed(file.signing))
        self._fingerprint = _keyed(file.fingerprint)

    @classmethod
    def load_or_create(cls, path: Path) -> "Keys":
        """Load the keys, or make and keep new ones where there is no file.

        Raises: StoreError when the file is damaged or others may read it.
        """
        if not path.exists():
            _create(path)
        return cls(_load(path))

    def sign(self, purpose: str, *parts: str) -> str:
        """Return the key's id and the signature: 27 or 28 letters and digits, safe in a mail's local part."""
        return self._newest + _mac(self._signing[self._newest], purpose, parts)

    def verify(self, purpose: str, token: str, *parts: str) -> bool:
        """Whether sign made this token for this purpose and these parts, in constant time for each key."""
        keyed = self._signing.get(token[:-MAC_CHARACTERS])
        if keyed is None or not token.isascii():
            return False
        return hmac.compare_digest(_mac(keyed, purpose, parts), token[-MAC_CHARACTERS:])

    def fingerprint(self, value: str) -> str:
        """Return the keyed hash that stands for value: 26 characters, the same for ever."""
        return _mac(self._fingerprint, "fingerprint", (value,))


def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=sha256)


def _mac(keyed: hmac.HMAC, purpose: str, parts: tuple[str, ...]) -> str:
    mac = keyed.copy()
    # Lengths stand before the parts: ("ab", "c") and ("a", "bc") are not the same thing.
    mac.update("".join([f"{len(part)}:{part}" for part in (purpose, *parts)]).encode(errors="surrogatepass"))
    number = int.from_bytes(mac.digest()[:16], "big") << 2
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def _create(path: Path) -> None:
    key_id = secrets.choice(_ALPHABET)
    file = KeysFile({key_id: secrets.token_bytes(KEY_BYTES)}, secrets.token_bytes(KEY_BYTES))
    make_folder(path.parent)
    link_new(path, msgspec.json.format(msgspec.json.encode(file)) + b"\n", mode=0o600)


def _load(path: Path) -> KeysFile:
    try:
        with path.open("rb") as source:
            mode = stat.S_IMODE(os.fstat(source.fileno()).st_mode)
            content = source.read()
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read ({error.strerror}): give the daemon's user the right to", is_final=True
        ) from error
    if mode & 0o077:
        raise StoreError(
            f"{path} may be read or written by others (mode {mode:04o}): run 'chmod 600 {path}'",
            is_final=True,
        )
    return _decoded(path, content)


def _decoded(path: Path, content: bytes) -> KeysFile:
    try:
        file = msgspec.json.decode(content, type=KeysFile)
    except msgspec.DecodeError as error:
        raise _damaged(path) from error
    keys = [*file.signing.values(), file.fingerprint]
    if not file.signing or min(map(len, keys)) < KEY_BYTES or not all(map(_is_key_id, file.signing)):
        raise _damaged(path)
    return file


def _is_key_id(text: str) -> bool:
    return 1 <= len(text) <= 2 and all(character in _ALPHABET for character in text)


def _damaged(path: Path) -> StoreError:
    # Nothing of the content is quoted: it is secret.
    return StoreError(f"{path} is damaged: put back the copy from the last backup", is_final=True)
