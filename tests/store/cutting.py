"""A proxy before PostgreSQL that cuts the line between a COMMIT and its answer, as a network does."""

import contextlib
import socket
import threading
from pathlib import Path


class Proxy:
    """Listens on a Unix socket in folder; `cut_after` counts how many COMMITs are still to lose their answer."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder = folder
        self._server = server
        self.to_cut = 0
        self.cuts = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                line = _Line(self, client, server)
                threading.Thread(target=line.forward_requests, daemon=True).start()
                threading.Thread(target=line.forward_answers, daemon=True).start()


class _Line:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._is_committing = False

    def forward_requests(self) -> None:
        with contextlib.suppress(OSError):
            while block := self._client.recv(65536):
                # The simple query "COMMIT" (PostgreSQL's protocol, message Q).
                self._is_committing = block.startswith(b"Q") and b"COMMIT\0" in block
                self._server.sendall(block)
        self._hang_up()

    def forward_answers(self) -> None:
        with contextlib.suppress(OSError):
            while block := self._server.recv(65536):
                if self._is_committing and self._proxy.to_cut > 0:
                    self._proxy.to_cut -= 1
                    self._proxy.cuts += 1
                    break
                self._client.sendall(block)
        self._hang_up()

    def _hang_up(self) -> None:
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
