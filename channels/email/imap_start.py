"""Opens the folder and finds out where to go on: after the last mail, from the beginning, or by content."""

import imaplib

from channels.email import imap_inventory
from channels.email.imap_login import Trouble, said
from channels.email.imap_message import Place
from channels.email.imap_position import Position
from channels.email.imap_watch import Watch
from channels.email.imap_wire import Aborted, Client, Refused, Selected


def open_folder(client: Client, watch: Watch) -> Selected:
    """Raises: Trouble when the folder is not there, or may not be changed although `afterwards` wants to."""
    try:
        return client.open(watch.folder, is_readonly=watch.options.afterwards == "keep")
    except imaplib.IMAP4.readonly:
        raise Trouble(
            f"the folder {watch.folder} may only be read",
            hint=f"afterwards: {watch.options.afterwards} needs the right to change it; or set afterwards: keep",
            kind="folder",
        ) from None
    except Aborted:
        raise
    except Refused as error:
        raise Trouble(
            f"the folder {watch.folder} cannot be opened: {said(error)}",
            hint="check its name as the server writes it, and the right to it",
            kind="folder",
        ) from None


def position_for(client: Client, watch: Watch, selected: Selected) -> Position:
    """Return where to go on; a folder that was numbered anew is gone through by content. Raises: Unavailable."""
    saved = watch.books.position(watch.folder)
    last_uid = selected.uidnext - 1 if selected.uidnext else max(client.uids_after(0), default=0)
    if saved is None:
        return _first(client, watch, selected, last_uid)
    is_same = selected.uidvalidity == saved.uidvalidity and selected.uidvalidity != 0
    # A server that was restored from a backup hands UIDs out again without saying so.
    if is_same and last_uid >= saved.uid:
        return saved
    watch.warn(
        "mailbox_renumbered", before=saved.uidvalidity, now=selected.uidvalidity, mails=selected.exists
    )
    watch.count_soon()
    return saved.renumbered(selected.uidvalidity, last_uid=last_uid)


def save(watch: Watch, position: Position) -> None:
    """Keep the position without a mail. Raises: Unavailable."""
    place = Place(watch.account, watch.folder, position.uidvalidity)
    watch.books.reconcile(imap_inventory.inventory(place, position, None), position)


def _first(client: Client, watch: Watch, selected: Selected, last_uid: int) -> Position:
    if watch.options.start == "all":
        return Position(uidvalidity=selected.uidvalidity)
    windows = imap_inventory.windows(client, selected.exists, selected.exists)
    dates = (mail.date for mails in windows for mail in mails)
    position = Position(
        uidvalidity=selected.uidvalidity,
        uid=last_uid,
        acted=last_uid,
        skipped_to=last_uid,
        skipped_date=max(dates, default=0),
    )
    save(watch, position)
    return position
