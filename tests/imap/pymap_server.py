"""pymap on loopback: a real IMAP server in pure Python, for machines where nobody may install Dovecot.

It keeps Maildirs and writes Dovecot's uid list, keywords and users in files that it reads at each login.
"""

import base64
import contextlib
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import imapclient

from tests.imap.mail_server import PASSWORD, MailServer, free_port, wait_until_it_greets

_SALT = b"one for everybody"
_ROUNDS = 1  # it is asked at each login, and protects nobody
_KEYWORDS = ("Stored",)  # it takes no keyword that the folder does not know beforehand
_LETTERS = {b"\\Seen": "S", b"\\Deleted": "T"}
_names = itertools.count(1)


class Pymap(MailServer):
    line_end = b"\n"

    def welcome(self, user: str) -> None:
        inbox = self.base / "mail" / user
        for name in ("cur", "new", "tmp"):
            (inbox / name).mkdir(parents=True)
        (inbox / "dovecot-keywords").write_text(
            "".join(f"{number} {keyword}\n" for number, keyword in enumerate(_KEYWORDS))
        )
        _append(self.base / "pymap-etc-shadow", f"{user}:{_hashed(PASSWORD)}")
        _append(self.base / "pymap-etc-passwd", f"{user}:x::::mail/{user}:")

    def _put(
        self,
        client: imapclient.IMAPClient,
        user: str,
        body: bytes,
        *,
        folder: str,
        flags: tuple[bytes, ...],
    ) -> None:
        """Put it into the Maildir, and have it numbered: APPEND numbers a mail twice when another session looks meanwhile."""
        maildir = self.base / "mail" / user / ("" if folder == "INBOX" else f".{folder}")
        name = f"{next(_names)}.pymap.localhost"
        (maildir / "tmp" / name).write_bytes(body)
        letters = "".join(sorted(_LETTERS[flag] for flag in flags))
        (maildir / "tmp" / name).rename(maildir / "cur" / f"{name}:2,{letters}")
        client.folder_status(folder, ["UIDNEXT"])


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")


def _hashed(password: str) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), _SALT, _ROUNDS)
    salt, digest64 = (base64.b64encode(part).decode() for part in (_SALT, digest))
    return f"$pbkdf2-sha256${_ROUNDS}${salt}${digest64}"


@contextlib.contextmanager
def running() -> Iterator[Pymap]:
    """Start it and end it. Raises: RuntimeError with its own words when it does not start."""
    base = Path(tempfile.mkdtemp(prefix="pm"))
    port = free_port()
    log = base / "pymap.log"
    (base / "mail").mkdir()
    (base / "tmp").mkdir()
    # It renames what it wrote into TMPDIR, so that has to be of the same file system; FQDN spares the name server.
    environment = {**os.environ, "TMPDIR": str(base / "tmp"), "TZ": "UTC", "FQDN": "localhost"}
    environment.pop("PYTHONWARNINGS", None)  # what is wrong in pymap is no failure of ours
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "from pymap.main import main; main()",
             "--host", "127.0.0.1", "--port", str(port), "--no-tls", "maildir", str(base)],
            stdout=output, stderr=output, env=environment,
        )  # fmt: skip
    try:
        wait_until_it_greets(process, port, log)
        yield Pymap(base, port)
    finally:
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(base, ignore_errors=True)
