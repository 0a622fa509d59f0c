"""The process that parses what is costly: python -m intake.parse_worker.

Requests and replies are msgpack behind a four-byte length, on standard input and output. An empty request asks
whether it is ready. Memory is limited by the system; time by whoever asked, who kills it.
"""

import importlib
import os
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO

import msgspec

from channels.contract import Message, RawMessage

MEMORY_BYTES = 256 * 1024 * 1024  # on top of what the interpreter and its libraries have mapped
REQUEST_MAX_BYTES = 256 * 1024 * 1024

_LENGTH = struct.Struct(">I")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, Any, RawMessage]).decode


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then ends this process
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, prints to the log
    importlib.import_module("channels.email.message")
    _limit_memory()
    while (request := _next(source)) is not None:
        reply = _encode(_answer(request))
        target.write(_LENGTH.pack(len(reply)) + reply)
        target.flush()


def _limit_memory() -> None:
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - no Path for one line
        mapped = int(statm.read().split()[0]) * resource.getpagesize()
    limit = mapped + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _next(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    return source.read(length) if length <= REQUEST_MAX_BYTES else None


def _answer(request: bytes) -> tuple[Message | None, str]:
    if not request:
        return None, "ready"
    try:
        module_name, options, raw = _decode(request)
        module = importlib.import_module(module_name)
        parse = getattr(module, "parse_costly", module.parse)
        return parse(raw, msgspec.convert(options, module.Options)), ""
    except MemoryError:
        return None, "it needs more than 256 MB"
    except Exception as error:  # noqa: BLE001 - said to whoever asked; the message is kept unread
        return None, f"the parser failed: {type(error).__name__}"


if __name__ == "__main__":
    main()
