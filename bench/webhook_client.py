"""Posts signed webhooks over connections that stay open, and prints how long their answers took, as JSON.

    python -m bench.webhook_client --port 8080 --path /hooks/texts/message --connections 10 --seconds 5

Each is another message. What is posted is made and signed before the clock starts; the server's own port is not what is
signed: the public address is.
"""

import argparse
import asyncio
import json
import math
import resource
import time
from urllib.parse import urlencode

import msgspec
from twilio.request_validator import RequestValidator

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC_URL = "https://help.example.com"
OWN = "+48221000000"
ANSWER_LIMIT_S = 20.0


class Load(msgspec.Struct):
    """What is asked for. each_s: a connection asks that often, 0 = without a pause."""

    port: int
    path: str
    connections: int
    seconds: float
    prepared: int
    each_s: float
    series: str


def form(path: str, series: str, number: int) -> dict[str, str]:
    """Return the parameters of one webhook, as Twilio posts them."""
    sender = f"+48600{number % 1_000_000:06d}"
    common = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": sender,
        "FromCountry": "PL",
        "To": OWN,
        "ToCountry": "PL",
    }
    if path.endswith("/message"):
        sid = f"SM{series}{number:0{32 - len(series)}x}"
        body = f"Hello, my parcel {number} has not come, when will it be here?"
        sids = {"MessageSid": sid, "SmsMessageSid": sid, "SmsSid": sid, "SmsStatus": "received"}
        return common | sids | {"Body": body, "NumMedia": "0", "NumSegments": "1"}
    call = f"CA{series}{number:0{32 - len(series)}x}"
    return common | {"CallSid": call, "CallStatus": "ringing", "Direction": "inbound"}


def request(path: str, fields: dict[str, str], port: int) -> bytes:
    """Return a signed request, head and body."""
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC_URL + path, fields)
    body = urlencode(fields).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Twilio-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Figures:
    """seconds of each answer; errors: answers that were not 200; static: answered without the store (voicemail)."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.errors: dict[str, int] = {}
        self.taken_aside = 0

    def note(self, status: str, body: bytes, seconds: float) -> None:
        self.seconds.append(seconds)
        if status != "200":
            self.errors[status] = self.errors.get(status, 0) + 1
        if b"/call/static" in body:
            self.taken_aside += 1


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = head[9:12].decode()
    at = head.lower().find(b"content-length:")
    size = int(head[at + 15 : head.index(b"\r\n", at)])
    return status, await reader.readexactly(size)


async def _connection(load: Load, queue: list[bytes], until: float, figures: Figures) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    begin = time.monotonic()
    for count, content in enumerate(iter(queue.pop, None), start=1):
        started = time.perf_counter()
        writer.write(content)
        status, body = await asyncio.wait_for(_answer(reader), ANSWER_LIMIT_S)
        figures.note(status, body, time.perf_counter() - started)
        if load.each_s:
            await asyncio.sleep(max(0.0, begin + count * load.each_s - time.monotonic()))
        if time.monotonic() >= until or not queue:
            break
    writer.close()
    await writer.wait_closed()


async def _run(load: Load) -> dict[str, object]:
    queue = [
        request(load.path, form(load.path, load.series, number), load.port) for number in range(load.prepared)
    ]
    figures, started = Figures(), time.monotonic()
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    before_s = cpu.ru_utime + cpu.ru_stime
    until = started + load.seconds
    await asyncio.gather(*(_connection(load, queue, until, figures) for _ in range(load.connections)))
    took = time.monotonic() - started
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    times = sorted(figures.seconds)
    return {
        "count": len(times),
        "rate": len(times) / took,
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[math.ceil(len(times) * 0.99) - 1] * 1000,
        "max_ms": times[-1] * 1000,
        "errors": figures.errors,
        "aside": figures.taken_aside,
        "cpu": (cpu.ru_utime + cpu.ru_stime - before_s) / took,
        "left": len(queue),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.webhook_client", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/hooks/texts/message")
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--prepared", type=int, default=20_000)
    parser.add_argument("--each-s", type=float, default=0.0, dest="each_s")
    parser.add_argument("--series", default="a0")
    options = parser.parse_args()
    print(json.dumps(asyncio.run(_run(Load(**vars(options))))))


if __name__ == "__main__":
    main()
