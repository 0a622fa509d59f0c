"""Keeps the resident memory of a busy daemon near what it uses: glibc's allocator, set before the threads start."""

import ctypes
import gc
import sys

# mallopt(3), read 2026-11. By default each thread that allocates gets a heap of its own, and the size from which a
# block is given back to the system when it is freed grows with every large mail, up to 32 MB.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_TRIM_BYTES = 1024 * 1024
_MMAP_BYTES = 256 * 1024
_ARENAS = 2
# Of Python's collector: objects made before the youngest are looked at, then how often the older are. By default ten thousand
# open chats were all walked through every few seconds, while everybody waited.
_COLLECT = (5_000, 20, 100)


def keep_small() -> None:
    """Bound the heaps and give large blocks back at once; nothing where the allocator is another."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)


def give_back() -> None:
    """Return what starting has left over to the system; what stays is not looked at by the collector again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
