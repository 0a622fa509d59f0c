"""The process that judges a big rulebook: python -m intake.rule_worker. It lives for one question.

In a thread of the daemon the same work would hold the interpreter's lock for tenths of a second at a time.
"""

import msgspec

from intake import child
from intake.rule_files import Sources
from routing.problems import ConfigError, Problem

Verdict = tuple[Problem, ...]
"""Every problem, warnings too."""

question = msgspec.msgpack.Encoder().encode
verdict = msgspec.msgpack.Decoder(Verdict).decode
_decode = msgspec.msgpack.Decoder(Sources).decode


def _answer(request: bytes) -> bytes:
    from intake import rulebooks

    if not request:
        return b""
    try:
        found: Verdict = rulebooks.compiled(_decode(request)).rulebook.warnings
    except ConfigError as error:
        found = tuple(error.problems)
    return question(found)


if __name__ == "__main__":
    child.serve(_answer)
