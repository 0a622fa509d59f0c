"""Postfix from Debian's packages under a folder of the bench, on loopback, all mail put on hold.

HOLD means: received, cleaned up, written and fsynced as a queue file, then left alone. It is the durable acceptance of
a mail server without delivery, the fairest neighbour of our journal.
"""

import shutil
import subprocess
from pathlib import Path

from tests.torture import daemons

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = bench.example.net
mydestination = example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access static:HOLD
smtpd_peername_lookup = no
message_size_limit = 52428800
mailbox_size_limit = 0
queue_minfree = 0
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """One instance with its own queue. Needs root, as Postfix does."""

    name = "Postfix, on hold"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = daemons.free_port()

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("postfix", path="/usr/sbin") is not None

    def start(self) -> None:
        for name in ("config", "queue", "data", "log"):
            (self.folder / name).mkdir(parents=True, mode=0o755)
        shutil.chown(self.folder / "data", "postfix")
        config = self.folder / "config"
        (config / "main.cf").write_text(_MAIN.format(folder=self.folder))
        (config / "master.cf").write_text(_MASTER.format(port=self.port))
        self._command("start")

    def empty(self) -> None:
        """Drop what is on hold, so that rounds begin alike."""
        for path in (self.folder / "queue" / "hold").iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def held(self) -> int:
        return sum(path.is_file() for path in (self.folder / "queue" / "hold").rglob("*"))

    def stop(self) -> None:
        self._command("stop")

    def _command(self, word: str) -> None:
        command = ["/usr/sbin/postfix", "-c", str(self.folder / "config"), word]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if answer.returncode:
            raise RuntimeError(f"postfix {word} failed: {answer.stderr.strip() or answer.stdout.strip()}")
