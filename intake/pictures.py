"""Small pictures, and pictures made to fit, by a process of their own: what comes from outside is decoded nowhere else.

Pillow does the work, where it is installed (pip install 'intaked[pictures]'). The process has bounds of memory and time, and
lives for as long as there is something to do.
"""

import importlib.util

import msgspec

from intake import child
from intake.child import Child

LIMIT_S = 10.0
TYPES = frozenset(("image/jpeg", "image/jpg", "image/png", "image/webp", "image/gif"))

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[bytes | None, str]).decode


class NoPicture(Exception):
    """A picture was not made: why, half a sentence."""


def is_installed() -> bool:
    """Whether pictures can be made here."""
    return importlib.util.find_spec("PIL") is not None


def is_picture(content_type: str) -> bool:
    """Whether a file of this type can become a smaller picture."""
    return content_type.partition(";")[0].strip().lower() in TYPES


class Pictures:
    """Makes pictures, one at a time. limit_s: for each."""

    def __init__(self, *, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._child = Child("intake.picture_worker")
        self._asked = 0

    async def thumbnail(self, content: bytes) -> bytes:
        """Return a small JPEG of a picture. Raises: NoPicture."""
        return await self._ask(content, 0)

    async def fitted(self, content: bytes, *, max_bytes: int) -> bytes:
        """Return a picture as a JPEG of that size at most, upright and without what else the file says. Raises: NoPicture."""
        return await self._ask(content, max_bytes)

    async def close(self) -> None:
        await self._child.end()

    async def _ask(self, content: bytes, max_bytes: int) -> bytes:
        self._asked += 1
        try:
            reply = await self._child.ask(_encode((content, max_bytes)), limit_s=self._limit_s)
            made, problem = _decode(reply)
        except (child.ChildFailed, msgspec.DecodeError) as error:
            raise NoPicture(str(error)) from error
        finally:
            self._asked -= 1
            if not self._asked:
                await self._child.end()
        if made is None:
            raise NoPicture(problem)
        return made
