"""What people do about opt-outs: look one up, note one that was said by mouth, take it back, decide a suggestion."""

from channels import phone_numbers
from channels.contract import Identity
from intake import consent_names, desk, events, opt_outs, permission, reached_names
from intake.desk import DeskError
from intake.model import Context
from intake.opt_outs import EMAIL, PHONE_MEDIA, OptOut
from intake.reached_names import PHONE, WHATSAPP
from intake.store.engine import Tx


def identity_of(typed: str) -> Identity:
    """Read a number, a mail address or a name on WhatsApp ("whatsapp:PL.1502"); a number is one by every medium.

    Raises: DeskError.
    """
    text = typed.strip()
    if text.lower().startswith(permission.PREFIX):
        plain = text[len(permission.PREFIX) :].strip()
        number = phone_numbers.e164(plain)
        return Identity(WHATSAPP, plain) if number is None else Identity(PHONE, number)
    if "@" in text:
        return Identity(EMAIL, text.lower())
    number = phone_numbers.e164(text)
    if number is None:
        raise DeskError(
            f"'{typed}' is neither a number like +48600100200, a mail address, nor whatsapp: and a name"
        )
    return Identity(PHONE, number)


def opt_out(tx: Tx, context: Context, typed: str, *, agent: str, medium: str = "", said: str = "") -> OptOut:
    """Note that somebody has told a person that they want nothing more; the row. medium: "" = nothing at all.

    Raises: DeskError.
    """
    desk.check_agent(context, agent)
    identity = identity_of(typed)
    if medium and medium not in (*PHONE_MEDIA, EMAIL):
        raise DeskError(f"'{medium}' is no medium: sms, whatsapp, voice or email")
    scope = medium or (EMAIL if identity.kind == EMAIL else "")
    if any(each.scope == scope for each in opt_outs.standing(tx, (identity,))):
        raise DeskError(f"{identity.value} has opted out already")
    return _noted(tx, identity, "out", agent=agent, scope=scope, said=said)


def opt_in(tx: Tx, context: Context, typed: str, *, agent: str, said: str = "") -> list[OptOut]:
    """Note that somebody has told a person that they may be written to again; the rows, one for each name and scope.

    Raises: DeskError.
    """
    desk.check_agent(context, agent)
    identity = identity_of(typed)
    standing = opt_outs.standing(tx, reached_names.of(tx, (identity,)))
    if not standing:
        raise DeskError(f"{identity.value} has not opted out")
    for each in sorted({opt_outs.locked_as(each.identity) for each in standing}):
        tx.lock("sender", each)
    noted = [
        _noted(tx, each.identity, "in", agent=agent, scope=each.scope, said=said, is_locked=True)
        for each in standing
    ]
    for customer_id in consent_names.owners(tx, (each.identity for each in standing)):
        tx.lock("customer", customer_id)
        opt_outs.follow(tx, customer_id)
    return noted


def decide(tx: Tx, context: Context, suggestion_id: int, *, agent: str, is_out: bool) -> OptOut:
    """Decide a suggestion: its author has opted out, or has not; the row. Raises: DeskError."""
    desk.check_agent(context, agent)
    found = opt_outs.load(tx, suggestion_id)
    if found is None or found.state != "suggested":
        raise DeskError(f"there is no suggestion {suggestion_id}: intake consent list --suggested")
    tx.lock("sender", opt_outs.locked_as(found.identity))
    if not opt_outs.close(tx, found):
        raise DeskError(f"suggestion {suggestion_id} has been decided")
    scope = EMAIL if found.kind == EMAIL else ""
    state: opt_outs.State = "out" if is_out else "refused"
    return _noted(tx, found.identity, state, agent=agent, scope=scope, said=found.said)


def _noted(
    tx: Tx,
    identity: Identity,
    state: opt_outs.State,
    *,
    agent: str,
    scope: str,
    said: str,
    is_locked: bool = False,
) -> OptOut:
    """Write it down as an agent's word. is_locked: the caller holds the locks, and follows up."""
    write = opt_outs.write if is_locked else opt_outs.note
    opt_out_id = write(tx, identity, state, how=f"agent:{agent}", scope=scope, said=said)
    kind = {"out": "opted_out", "in": "opted_in"}.get(state, "opt_out_refused")
    events.record(
        tx,
        kind,
        customer_id=opt_outs.customer_of(tx, identity),
        actor=f"agent:{agent}",
        medium=scope,
        value=identity.value,
        said=said[:100],
        how=f"agent:{agent}",
    )
    if state == "out":
        opt_outs.bring_forward(tx, (identity,))
    found = opt_outs.load(tx, opt_out_id)
    assert found is not None  # noqa: S101 - just written
    return found
