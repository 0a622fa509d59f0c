"""The process that parses what is costly: python -m intake.parse_worker.

Memory is limited by the system; time by whoever asked, who kills it.
"""

import importlib
from typing import Any

import msgspec

from channels.contract import Message, RawMessage
from intake import child

MEMORY_BYTES = 256 * 1024 * 1024  # on top of what the interpreter and its libraries have mapped

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, Any, RawMessage, Any]).decode


def main() -> None:
    importlib.import_module("channels.email.message")
    child.limit_memory(MEMORY_BYTES)
    child.serve(lambda request: _encode(_answer(request)))


def _answer(request: bytes) -> tuple[Message | None, str]:
    if not request:
        return None, "ready"
    try:
        module_name, options, raw, evidence = _decode(request)
        module = importlib.import_module(module_name)
        parse = getattr(module, "parse_costly", module.parse)
        return parse(raw, msgspec.convert(options, module.Options), evidence), ""
    except MemoryError:
        return None, "it needs more than 256 MB"
    except Exception as error:  # noqa: BLE001 - said to whoever asked; the message is kept unread
        return None, f"the parser failed: {type(error).__name__}"


if __name__ == "__main__":
    main()
