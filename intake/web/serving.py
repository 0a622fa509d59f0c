"""Serves the pages. Imported late: aiohttp takes 0.4 s to import, and mail is taken without it."""

from aiohttp import web

from intake.web import app as pages


async def serve(state: pages.State, listen: str) -> web.AppRunner:
    """Serve until the runner's cleanup(). listen: "host:port". Raises: OSError when the address is taken."""
    runner = web.AppRunner(pages.make_app(state), access_log=None, handle_signals=False)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        await runner.cleanup()
        raise OSError(
            error.errno,
            f"http cannot listen on {listen}: {error.strerror}; stop what listens there, or set another address",
        ) from error
    return runner
