"""What another side says became of a message of ours."""

from channels.contract import DeliveryReport
from intake.model import Context, Received
from intake.store.engine import Tx


def settle(tx: Tx, context: Context, received: Received, happening: DeliveryReport) -> None:
    raise NotImplementedError
