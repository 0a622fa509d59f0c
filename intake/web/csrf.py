"""The word that every form of a session carries: made from the session, so that no other site and no other session has it.

It is the third of three locks: the cookie is SameSite=Strict, and the origin of every unsafe request is checked
(intake.web.origins). OWASP ASVS 5.0 row 3.5.1 (2026-11).
"""

from intake.keys import Keys
from intake.web.access import Who

FIELD = "csrf"
_PURPOSE = "csrf"


def word(keys: Keys, who: Who) -> str:
    """Return the session's word; "" = there is no session."""
    return keys.sign(_PURPOSE, who.session) if who.session else ""


def is_good(keys: Keys, who: Who, given: object) -> bool:
    """Whether a form of this session said it."""
    return isinstance(given, str) and bool(who.session) and keys.verify(_PURPOSE, given, who.session)
