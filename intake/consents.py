"""Who may be written to, and who has said stop."""

from channels.contract import Consent
from intake.model import Context, Received
from intake.store.engine import Tx


def settle(tx: Tx, context: Context, received: Received, happening: Consent) -> None:
    raise NotImplementedError
