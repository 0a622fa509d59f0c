"""Our certificate: read at the start, and read anew when its file has changed, so that a renewal needs no restart.

A renewed one that cannot be used is said once, and the one before stays. TLS 1.2 and 1.3.
"""

import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from intake.sections import Tls

LOOK_S = 60.0

log = logging.getLogger("intake.web.certificates")


class Certificate:
    """The certificate of an address. context: for the server; clock: seconds, ever growing."""

    def __init__(self, tls: Tls, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises: OSError in one sentence, where the files cannot be used."""
        self._tls, self._clock = tls, clock
        self._stamp, self._looked_at = _stamp(tls), clock()
        self.context = self._current = _loaded(tls)
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: Any) -> None:
        """Give a connection the newest certificate; called for each, before it says anything."""
        if self._clock() - self._looked_at >= LOOK_S:
            self._looked_at = self._clock()
            self._renew()
        if self._current is not self.context:
            connection.context = self._current

    def _renew(self) -> None:
        stamp = _stamp(self._tls)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._current = _loaded(self._tls)
        except OSError as error:
            log.warning("certificate_not_renewed reason=%s", error.strerror)
        else:
            log.info("certificate_renewed")


def _loaded(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or error
        raise OSError(
            getattr(error, "errno", None) or 0,
            f"http.tls cannot be used ({reason}): {tls.certificate} has to be a certificate in PEM, and {tls.key} its key, "
            "without a password",
        ) from error
    return context


def _no_password() -> str:
    """Answer OpenSSL, which would else ask at the terminal and wait."""
    raise ValueError("the key has a password")


def _stamp(tls: Tls) -> tuple[float, ...]:
    """Return what changes when a file is replaced."""
    try:
        return tuple(Path(each).stat().st_mtime_ns for each in (tls.certificate, tls.key))
    except OSError:
        return ()
