"""Asks a server, logged in, whether it can do what the options want."""

from collections.abc import Iterator

from channels import contract
from channels.email.imap_login import said
from channels.email.imap_options import Options
from channels.email.imap_wire import Aborted, Client, Refused


def problems(client: Client, options: Options) -> list[contract.Problem]:
    try:
        return [*_folders(client, options), *_actions(client, options)]
    except (*Aborted, *Refused) as error:
        return [contract.Problem(f"the connection ended: {said(error)}", "is the server well?")]


def _folders(client: Client, options: Options) -> Iterator[contract.Problem]:
    for folder in options.folders:
        try:
            client.open(folder, is_readonly=True)
        except Aborted:
            raise
        except Refused as error:
            names = ", ".join(str(name) for _, _, name in client.list_folders())
            yield contract.Problem(
                f"the folder {folder} cannot be opened: {said(error)}", f"the server has: {names[:400]}"
            )


def _actions(client: Client, options: Options) -> Iterator[contract.Problem]:
    if not client.has_capability("IDLE"):
        yield contract.Problem(
            "the server has no IDLE", f"new mail is looked for every {options.poll_s:g} s", severity="hint"
        )
    if options.afterwards == "move" and not client.folder_exists(options.move_to):
        yield contract.Problem(
            f"the folder {options.move_to} is not there", "it is made with the first mail", severity="hint"
        )
    if options.afterwards in ("move", "delete") and not client.has_capability("UIDPLUS"):
        yield contract.Problem(
            "the server has no UIDPLUS",
            "deleted mails stay marked while others are marked too",
            severity="hint",
        )
