"""Sends mail to a relay by SMTP (RFC 5321 through aiosmtplib), or writes it into a folder when there is no relay.

Guarantee: at least once. A relay's 4xx and a lost connection are tried again by the outbox; when the connection broke
after the last byte the relay may have the mail, and the failure says so (`unknown`). A folder has a mail once, by id.
TLS is verified. With smtps:// and smtp+starttls:// nothing is said in clear: a relay without STARTTLS is refused.
"""

import urllib.parse
from collections.abc import Iterable

import msgspec

from channels import contract
from channels.email import folder, hosts, relay, signing
from channels.email.compose import compose
from channels.email.signing import Dkim

__all__ = ["Dkim", "Options", "Sender", "compose", "target_of"]

_SCHEMES = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """relay: smtp://host:25 (clear), smtp+starttls://host:587 or smtps://host:465; None = .eml files into `folder`.

    xoauth2_token: an OAuth 2 access token, instead of a password. timeout_s: for one mail, connecting included.
    idle_s: how long an unused connection to the relay is kept. ca_file: PEM, instead of the system's authorities.
    dkim: the keys that sign; a mail is signed by each whose domain its From is in.
    """

    relay: str | None = None
    folder: str = ""
    username: str = ""
    password: str = ""
    xoauth2_token: str = ""
    hostname: str = ""
    ca_file: str = ""
    timeout_s: float = 120
    idle_s: float = 30
    max_connections: int = 8
    dkim: tuple[Dkim, ...] = ()

    def __post_init__(self) -> None:
        if self.max_connections < 1 or self.timeout_s <= 0:
            raise ValueError("max_connections and timeout_s must be more than 0")
        if self.relay is not None:
            target = target_of(self.relay)
            if self.username and target.scheme == "smtp" and not hosts.is_this_machine(target.host):
                raise ValueError(
                    "a password is not sent in clear: use smtps:// or smtp+starttls:// for the relay"
                )
        if (self.password or self.xoauth2_token) and not self.username:
            raise ValueError("password and xoauth2_token need a username")

    def __repr__(self) -> str:
        return f"Options(relay={self.relay!r}, folder={self.folder!r}, username={self.username!r})"


def target_of(url: str) -> relay.Target:
    """Read the URL of a relay.

    Raises: ValueError when it is not one; a password in it is one of the reasons.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.path.strip("/"):
        raise ValueError("a relay is written like smtp+starttls://mail.example.com:587")
    if parts.username or parts.password:
        raise ValueError("the relay's URL holds a password: set username and password beside it")
    return relay.Target(parts.scheme, parts.hostname, parts.port or _SCHEMES[parts.scheme])


class Sender:
    """The way out of one account."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._relay = relay.Relay(target_of(options.relay), options) if options.relay else None

    async def deliver(self, outbound: contract.OutboundMessage) -> contract.Delivered:
        """Hand over one mail.

        Raises: DeliveryFailed; see the module docstring.
        """
        try:
            content = compose(outbound)
            envelope = relay.envelope_of(outbound)
        except ValueError as error:
            raise contract.DeliveryFailed(f"the mail cannot be written: {error}", retryable=False) from error
        content = await self._signed(outbound, content)
        if self._relay is not None:
            return await self._relay.send(envelope, content)
        if self._options.folder:
            return await folder.write(self._options.folder, outbound, content)
        raise contract.DeliveryFailed(
            "no way out is set: set outgoing.relay or outgoing.folder", retryable=True
        )

    async def _signed(self, outbound: contract.OutboundMessage, content: bytes) -> bytes:
        if not self._options.dkim:
            return content
        try:
            return await signing.signed(
                content,
                from_address=outbound.from_.address,
                created_at=outbound.created_at,
                keys=self._options.dkim,
            )
        except signing.KeyProblem as problem:
            raise contract.DeliveryFailed(str(problem), retryable=True) from problem

    async def close(self) -> None:
        if self._relay is not None:
            await self._relay.close()

    def check(self, addresses: Iterable[str] = ()) -> list[contract.Problem]:
        """Tell what keeps mail from going out as it should. addresses: those of the account."""
        return [*self._ways(), *signing.check(self._options.dkim, addresses)]

    async def probe(self) -> list[contract.Problem]:
        """Log in to the relay: what is wrong, and what to do. Without a relay there is nobody to ask."""
        if self._relay is None:
            return []
        try:
            await self._relay.probe()
        except contract.DeliveryFailed as failure:
            hint = "look at outgoing.relay, its username and password"
            return [contract.Problem(f"mail cannot be sent: {failure.reason}", hint)]
        return []

    def _ways(self) -> list[contract.Problem]:
        if self._relay is None and not self._options.folder:
            return [
                contract.Problem(
                    "mail cannot be sent: no way out is set", "set outgoing.relay or outgoing.folder"
                )
            ]
        if self._relay is None:
            return folder.check(self._options.folder)
        return []
