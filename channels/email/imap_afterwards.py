"""What happens to a mail on the server once the journal has it: kept, marked, moved or deleted.

Moving is MOVE (RFC 6851), or COPY and deleting; deleting expunges our own UIDs alone (UIDPLUS, RFC 4315). A server without UIDPLUS
expunges only when nobody else has marked a mail as deleted; until then the mark stays.
"""

from collections.abc import Callable
from typing import Any

from channels.email import imap_uids
from channels.email.imap_login import said
from channels.email.imap_watch import Watch
from channels.email.imap_wire import Aborted, Client, Refused

AT_ONCE = 500
_DELETED = "\\Deleted"


class Afterwards:
    """One folder on one connection."""

    def __init__(self, client: Client, watch: Watch) -> None:
        self._client = client
        self._watch = watch
        self._options = watch.options

    def act(self, uids: set[int]) -> bool:
        """Do it to journalled mails; false when the server refused, which stops nothing. Raises: Aborted."""
        if self._options.afterwards == "keep":
            return True
        try:
            for chunk in imap_uids.chunks(sorted(uids), AT_ONCE):
                self._act(list(chunk))
        except Aborted:
            raise
        except Refused as error:
            self._watch.warn("mailbox_action_refused", action=self._options.afterwards, reason=said(error))
            return False
        return True

    def _act(self, uids: list[int]) -> None:
        if self._options.afterwards == "mark":
            self._client.store(uids, self._options.mark)
        elif self._options.afterwards == "delete":
            self._delete(uids)
        elif self._client.has_capability("MOVE"):
            self._to_folder(self._client.move, uids)
        else:
            self._to_folder(self._client.copy, uids)
            self._delete(uids)

    def _to_folder(self, command: Callable[[list[int], str], Any], uids: list[int]) -> None:
        try:
            command(uids, self._options.move_to)
        except Aborted:
            raise
        except Refused:
            if self._client.folder_exists(self._options.move_to):
                raise
            self._client.create_folder(self._options.move_to)
            command(uids, self._options.move_to)

    def _delete(self, uids: list[int]) -> None:
        self._client.store(uids, _DELETED)
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge(uids)
        elif set(self._client.search(["DELETED"])) <= set(uids):
            self._client.expunge()
