"""What the same webhook costs in bare aiohttp, which reads the form and answers: `python -m bench.bare_webhook PORT`."""

import sys

from aiohttp import web

ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


async def take(request: web.Request) -> web.Response:
    await request.post()
    return web.Response(text=ANSWER, content_type="text/xml")


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/hooks/{account}/{path:.+}", take)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
