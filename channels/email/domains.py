"""Domain names as they are compared: lower case, A-labels, without the root's dot (RFC 5890 §2.3.2.1)."""

import re

MAX_CHARS = 253

_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\Z")


def normalised(domain: str) -> str:
    """Return the name to compare by; "" when it is no domain name."""
    domain = domain.strip().removesuffix(".").lower()
    if len(domain) > MAX_CHARS:
        return ""
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return ""
    if len(domain) > MAX_CHARS or any(len(label) > 63 for label in domain.split(".")):
        return ""
    return domain if _NAME.match(domain) else ""


def of_address(address: str) -> str:
    """Return the domain of an address; "" when it has none."""
    return normalised(address.rpartition("@")[2]) if "@" in address else ""


def is_same_or_parent(parent: str, domain: str) -> bool:
    """Whether `domain` is `parent` or stands below it; a parent of one label ("com") is nobody's."""
    return bool(parent) and (domain == parent or ("." in parent and domain.endswith(f".{parent}")))
