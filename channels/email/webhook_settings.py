"""What an admin may set on an account of kind email.webhook. Times in seconds, sizes in bytes."""

from channels.email import message, send, sns

MAX_SIZE_BYTES = 26_214_400
MIN_SECRET_CHARS = 16


class Options(message.Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """secrets: any of them may sign a mail; topics: ARNs of the SNS topics that are believed.

    addresses, delimiter: whose mail it is, for replies. tolerance_s: how old or early a signature may be.
    confirm_subscriptions: whether the subscription of a configured topic is confirmed. max_bytes_in_flight: of all bodies
    being received at one time; body_timeout_s: for a whole body.
    """

    secrets: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    delimiter: str = "+"
    tolerance_s: float = 300
    confirm_subscriptions: bool = True
    max_size_bytes: int = MAX_SIZE_BYTES
    max_bytes_in_flight: int = 268_435_456
    max_recipients: int = 100
    body_timeout_s: float = 60
    outgoing: send.Options = send.Options()

    def __post_init__(self) -> None:
        if any(len(secret) < MIN_SECRET_CHARS for secret in self.secrets):
            raise ValueError(
                f"a secret has at least {MIN_SECRET_CHARS} characters: openssl rand -hex 32 makes one"
            )
        for arn in self.topics:
            if not sns.is_topic(arn):
                raise ValueError(f"'{arn}' is not written like arn:aws:sns:eu-west-1:123456789012:name")
        if min(self.max_size_bytes, self.max_recipients, self.tolerance_s, self.body_timeout_s) <= 0:
            raise ValueError(
                "max_size_bytes, max_recipients, tolerance_s and body_timeout_s must be more than 0"
            )
        if self.max_bytes_in_flight < self.max_size_bytes:
            raise ValueError("max_bytes_in_flight must hold at least one mail of max_size_bytes")

    def __repr__(self) -> str:
        return f"Options(secrets={len(self.secrets)}, topics={self.topics!r}, addresses={self.addresses!r})"
