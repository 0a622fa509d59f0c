"""Finds out for ourselves who sent a mail that came straight from outside: SPF, DKIM, DMARC and ARC over the DNS.

Runs after the sender was told "got it", within a time (2 s) that no mail waits longer than; what could not be looked up in
it is a `temperror`, never a pass. What is found is kept with the mail, so that reading it again says the same.

Needs the extra `verify` (dnspython, cryptography).
"""

import asyncio
import functools
import importlib.util
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from channels.contract import Problem, RawMessage
from channels.email import addresses, checking, dmarc, domains, headers, origin, spf
from channels.email.auth_results import Result
from channels.email.resolver import DnsResolver, Resolver
from channels.email.signed_mail import Mail
from channels.email.trust import Evidence

GRACE_S = 0.5  # beyond the time for the DNS: hashing and verifying
THREADS = 16

log = logging.getLogger("channels.email.examine")


async def evidence(raw: RawMessage, verify: origin.Verify) -> dict[str, Any]:
    """Return what `parse` is given, as a JSON value; never fails."""
    resolver = DnsResolver(verify.nameservers, timeout_s=verify.timeout_s)
    loop, ends_at = asyncio.get_running_loop(), time.monotonic() + verify.timeout_s
    try:
        async with asyncio.timeout(verify.timeout_s + GRACE_S):
            found = await loop.run_in_executor(
                _threads(), functools.partial(evidence_of, raw, resolver, ends_at=ends_at)
            )
    except TimeoutError:
        found = _UNDECIDED
    except Exception:
        log.exception("examine_failed", extra={"account": raw.account})
        found = _UNDECIDED
    value: dict[str, Any] = msgspec.to_builtins(found)
    return value


@functools.lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Threads of their own: they wait for strangers' name servers, and nobody shall wait for them."""
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="examine")


def evidence_of(raw: RawMessage, resolver: Resolver, *, ends_at: float | None = None) -> Evidence:
    """Check a mail; blocks while the DNS is asked. ends_at: monotonic seconds."""
    mail = Mail(raw.body, ends_at=ends_at)
    domain = _from_domain(raw.body)
    client = origin.client_of(raw.envelope)
    by_path = _spf(raw, str(client), resolver) if client is not None else Result("spf", "none")
    signed = tuple(checking.dkim_results(mail, domain=domain, resolver=resolver))
    results = [by_path, *(signed or (Result("dkim", "none"),))]
    if domain:
        verdict = dmarc.evaluate(
            domain,
            spf_domain=by_path.properties.get("smtp.mailfrom") if by_path.result == "pass" else None,
            dkim_domains=[each.properties["header.d"] for each in signed if each.result == "pass"],
            is_undecided=any(each.result == "temperror" for each in (by_path, *signed)),
            resolver=resolver,
        )
        results.append(Result("dmarc", verdict, {"header.from": domain}))
    results.append(Result("arc", checking.arc_result(mail, resolver)))
    return Evidence(tuple(results))


def _spf(raw: RawMessage, client: str, resolver: Resolver) -> Result:
    envelope = raw.envelope
    result, domain = spf.check(
        client,
        sender=str(envelope.get("sender") or ""),
        helo=str(envelope.get("helo") or ""),
        resolver=resolver,
    )
    return Result("spf", result, {"smtp.mailfrom": domain})


def _from_domain(body: bytes) -> str:
    """Return the domain of From; "" when From is not one address, or the header had to be mended to find it."""
    whole, mended = headers.mended(body)
    fields = headers.scan(whole)
    named = addresses.parse(fields.structured("from"))
    is_single = len(fields.raw("from")) == 1 and len(named) == 1 and not mended
    return domains.of_address(named[0].address) if is_single else ""


_UNDECIDED = Evidence(tuple(Result(method, "temperror") for method in ("spf", "dkim", "dmarc", "arc")))


def problems() -> list[Problem]:
    """Return what is missing here to check anything; [] when nothing is."""
    missing = [name for name in ("dns", "cryptography") if importlib.util.find_spec(name) is None]
    if not missing:
        return []
    return [
        Problem(
            f"`verify` cannot check anything: {' and '.join(missing)} cannot be imported",
            hint="install intaked[verify]",
        )
    ]
