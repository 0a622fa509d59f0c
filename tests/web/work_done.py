"""Works out, as a browser does, what a chat wants while it is flooded."""

from hashlib import sha256
from itertools import count
from typing import Any


def worked(asked: dict[str, Any]) -> str:
    """Return what is said with the line. asked: `work` of an error work_required."""
    text, bits, parts = asked["text"], asked["bits"], asked["parts"]
    return f"{text}:{','.join(str(_number(f'{text}:{part}', bits)) for part in range(parts))}"


def _number(before: str, bits: int) -> int:
    return next(
        each
        for each in count()
        if int.from_bytes(sha256(f"{before}:{each}".encode()).digest()[:4]) >> (32 - bits) == 0
    )
