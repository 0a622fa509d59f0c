"""A visitor's token, and the session that it names.

The page makes it of 256 random bits; whoever has it has the chat. We keep its hash only. Nobody can guess one, so that a
hash without a key, of which nothing but the token's owner can make use, is enough.
"""

import re
from hashlib import sha256

_TOKEN = re.compile(
    r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
)  # base64url of 32 bytes: of the last character two bits are 0


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def session_of(account: str, token: str) -> str:
    """Return the name of the session, the same at every account only by chance of 2^-256."""
    digest = sha256(f"intake chat\0{account}\0{token}".encode()).hexdigest()
    return f"chat:{account}:{digest}"


def bearer(header: str | None) -> str:
    """Return the token of an Authorization header; "" = there is none that could be one."""
    scheme, _, token = (header or "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and is_token(token) else ""
