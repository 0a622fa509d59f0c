"""Processes of our own that answer requests: msgpack behind a four-byte length, on standard input and output.

An empty request asks whether the process is ready; its imports so never count against a request's time.
"""

import asyncio
import contextlib
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable
from typing import BinaryIO

START_S = 20.0
REQUEST_MAX_BYTES = 512 * 1024 * 1024

_LENGTH = struct.Struct(">I")


class ChildFailed(Exception):
    """A child did not answer: it died, or took too long and was killed. The next request starts another."""


class Child:
    """One process, started by its first request, asked one thing at a time. module: run as python -m module."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def ask(self, request: bytes, *, limit_s: float, greeting: bytes = b"") -> bytes:
        """Send a request and wait for its reply. greeting: what a new process is told first.

        Raises: ChildFailed.
        """
        async with self._turn:
            try:
                process = await self._started(greeting)
                return await asyncio.wait_for(_exchange(process, request), limit_s)
            except TimeoutError as error:
                await self.end()
                raise ChildFailed(f"it took longer than {limit_s:g} s") from error
            except (OSError, asyncio.IncompleteReadError) as error:
                await self.end()
                raise ChildFailed("its process died") from error
            except asyncio.CancelledError:
                await self.end()
                raise

    async def _started(self, greeting: bytes) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._module,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=REQUEST_MAX_BYTES,
            )
            await asyncio.wait_for(_exchange(self._process, greeting), START_S)
        return self._process

    async def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _exchange(process: asyncio.subprocess.Process, request: bytes) -> bytes:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
    process.stdin.write(_LENGTH.pack(len(request)) + request)
    await process.stdin.drain()
    (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
    return await process.stdout.readexactly(length)


def limit_memory(size_bytes: int) -> None:
    """Let this process have no more than that, on top of what the interpreter and its libraries have mapped."""
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - no Path for one line
        mapped = int(statm.read().split()[0]) * resource.getpagesize()
    limit = mapped + size_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def serve(answer: Callable[[bytes], bytes]) -> None:
    """Answer requests in this process until whoever asks has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then ends this process
    source = sys.stdin.buffer
    # Who asks may be killed before the reply: closing throws the rest of it away, and meets the broken pipe again.
    with contextlib.suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as target:
        os.dup2(2, 1)  # whatever prints, prints to the log
        while (request := _next(source)) is not None:
            reply = answer(request)
            target.write(_LENGTH.pack(len(reply)) + reply)
            target.flush()


def _next(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    return source.read(length) if length <= REQUEST_MAX_BYTES else None
