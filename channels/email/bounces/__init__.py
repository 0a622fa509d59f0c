"""Reads non-delivery reports: which addresses failed, for good or for now, why, and which mail it was.

First what a machine wrote for a machine (`status_report`), then what it wrote for people (`prose`).
"""

from channels.contract import Bounce, BouncedRecipient
from channels.email.bounces import prose, reasons, returned, status_report
from channels.email.headers import Headers
from channels.email.structure import Part

__all__ = ["read"]


def read(root: Part, fields: Headers, *, text: str) -> Bounce:
    """The failed recipients of a report and the Message-ID of what came back. text: the report's readable part."""
    report = returned.read(root, text)
    recipients = _of_status(root, report) or prose.recipients(report, fields)
    return Bounce(recipients, returned.message_id(root, report, fields))


def _of_status(root: Part, report: returned.Report) -> tuple[BouncedRecipient, ...]:
    failed = [each for each in status_report.reported(root) if not each.is_reached]
    if any(not each.address for each in failed) and len(failed) == 1:
        return ()
    return tuple(
        BouncedRecipient(
            address=each.address,
            status=each.status,
            permanent=_is_permanent(each, report),
            diagnostic=each.diagnostic,
            reason=reasons.reason_of(each.status, each.diagnostic or report.text[:2_000]),
        )
        for each in failed
        if each.address
    )


def _is_permanent(each: status_report.Reported, report: returned.Report) -> bool:
    """Say whether it is final; "failed" is, even with a 4.x.x status: the server gave up (RFC 3464 §2.3.3)."""
    if each.action in {"failed", "delayed"}:
        return each.action == "failed"
    if each.status:
        return not each.status.startswith("4")
    return prose.is_permanent(report.text)
