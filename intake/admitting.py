"""The last look before a message leaves: it is still queued, and the gate (intake.permission) still lets it pass.

For texts, WhatsApp messages and calls this is one write, which uses their budget, once and not for each retry (the row
says so: `counted`): whatever STOP, another daemon or an operator has committed before it, counts. Automatic mail is
looked up only. What is refused is kept as withheld, and an answer among it was not given; what meets quiet hours waits for their end. A page that nobody needs any more is dropped.
"""

from collections.abc import Callable

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import OutboundMessage
from intake import budgets, failures, paging, permission, tickets
from intake.failures import Failure
from intake.model import Context
from intake.opt_outs import PHONE_MEDIA
from intake.permission import Asked, Verdict
from intake.store import schema
from intake.store.engine import Row, Store, Tx
from intake.store.statements import Statement

_o = schema.outbox.c
_ROW = Statement(
    select(
        _o.state,
        _o.medium,
        _o.recipient,
        _o.cause,
        _o.action,
        _o.created_at,
        _o.ticket_id,
        _o.customer_id,
        _o.message_id,
        _o.payload,
        _o.counted,
    ).where(_o.id == bindparam("id"))
)
_decode = msgspec.json.Decoder(OutboundMessage).decode
ASKED_OF_MAIL = "auto-replied"  # notices to agents say auto-generated


class _Queued(msgspec.Struct, frozen=True):
    state: str
    medium: str
    recipient: str
    cause: str
    action: str
    created_at: int
    ticket_id: int | None
    customer_id: int | None
    message_id: int | None
    payload: str
    counted: int

    @property
    def is_told(self) -> bool:
        """Whether somebody counts on it: the conversation has it, or it is a notice to an agent."""
        return self.message_id is not None or _decode(self.payload).is_verbatim


async def is_admitted(
    store: Store,
    context: Context | None,
    outbox_id: int,
    outbound: OutboundMessage,
    *,
    begin: Callable[[Tx], bool] | None = None,
) -> bool:
    """Whether a message may leave now; what must not is settled then.

    begin: takes the try, false = it is not ours; in the same write, so that nothing is committed between the gate's answer
    and the message. None = the try needs no taking.
    """
    account = context.accounts.get(outbound.account) if context is not None else None
    is_mail = account is not None and account.medium not in PHONE_MEDIA
    if is_mail and (
        outbound.automatic != ASKED_OF_MAIL
        or (await store.read(lambda tx: _look(tx, context, outbox_id, outbound))).is_allowed
    ):
        return begin is None or await store.write(begin)

    def decide(tx: Tx) -> bool:
        verdict = admit(tx, context, outbox_id, outbound)
        return verdict is not None and verdict.is_allowed and (begin is None or begin(tx))

    return await store.write(decide)


def admit(tx: Tx, context: Context | None, outbox_id: int, outbound: OutboundMessage) -> Verdict | None:
    """Let a message pass, or settle it; None = it is not queued any more, and nothing is done."""
    row = _row(tx, outbox_id)
    if row is None or row.state != "queued":
        return None
    where = {"id": outbox_id, "state": "queued"}
    if not paging.is_wanted(tx, outbound):
        tx.update(schema.outbox, where, state="dropped", next_at=None)
        return None
    asked = _asked(context, row, outbound)
    verdict = permission.ask(tx, context, asked, budget="taken" if row.counted else "take")
    if verdict.is_withheld:
        withhold(tx, context, outbox_id, verdict)
    elif not verdict.is_allowed:
        tx.update(schema.outbox, where, next_at=verdict.at, error=verdict.sentence)
        _tell(tx, verdict, row, outbox_id)
    elif not row.counted and asked.is_public and asked.medium in PHONE_MEDIA:
        tx.update(schema.outbox, where, counted=asked.units)
    return verdict


def withhold(tx: Tx, context: Context | None, outbox_id: int, verdict: Verdict) -> bool:
    """Keep a queued message and never send it as things stand; false when it is not queued any more."""
    row = _row(tx, outbox_id)
    ticket = (
        tickets.locked_final(tx, row.ticket_id) if row is not None and row.ticket_id is not None else None
    )
    where = {"id": outbox_id, "state": "queued"}
    touched = tx.update(schema.outbox, where, state="withheld", error=verdict.sentence, next_at=None)
    if not touched or row is None:
        return False
    _tell(tx, verdict, row, outbox_id)
    if ticket is None or not row.is_told:
        return True
    if context is not None:
        failures.follow(tx, context, ticket, outbox_id, Failure(verdict.reason, detail=verdict.sentence))
    else:
        failures.take_back(tx, ticket, outbox_id)
    return True


def _look(tx: Tx, context: Context | None, outbox_id: int, outbound: OutboundMessage) -> Verdict:
    row = _row(tx, outbox_id)
    if row is None:
        return permission.ALLOWED
    return permission.ask(tx, context, _asked(context, row, outbound))


def _row(tx: Tx, outbox_id: int) -> _Queued | None:
    row: Row | None = tx.one(_ROW, id=outbox_id)
    return None if row is None else _Queued(*row)


def _asked(context: Context | None, row: _Queued, outbound: OutboundMessage) -> Asked:
    return Asked(
        medium=row.medium,
        account=context.accounts.get(outbound.account) if context is not None else None,
        recipient=row.recipient,
        is_public=not outbound.is_verbatim,  # outgoing: what agents get is words altogether
        is_automatic=outbound.automatic is not None,
        cause=row.cause,
        action=row.action,
        created_at=row.created_at,
        ticket_id=row.ticket_id,
        units=budgets.units(row.medium, outbound),
    )


def _tell(tx: Tx, verdict: Verdict, row: _Queued, outbox_id: int) -> None:
    permission.tell(tx, verdict, ticket_id=row.ticket_id, customer_id=row.customer_id, outbox_id=outbox_id)
