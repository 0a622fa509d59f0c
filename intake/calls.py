"""Calls."""

from channels.contract import CallEvent
from intake.model import Context, Received
from intake.store.engine import Tx


def settle(tx: Tx, context: Context, received: Received, happening: CallEvent) -> None:
    raise NotImplementedError
