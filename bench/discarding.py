"""Stock aiosmtpd that takes every mail and throws it away: `python -m bench.discarding PORT`."""

import asyncio
import sys
from typing import Any

from aiosmtpd import smtp


class Discard:
    async def handle_DATA(self, _: Any, __: Any, ___: Any) -> str:  # noqa: N802
        return "250 OK"


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: smtp.SMTP(Discard(), data_size_limit=50 * 2**20, hostname="discard"), "127.0.0.1", port
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
