"""What /metrics shows, under names that begin with intake_. One registry of our own: nothing global, nothing twice."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_SLOW_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600)


class Metrics:
    """Every instrument of the daemon. Labels: account (the configured channel), state, part."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._messages()
        self._outgoing()
        self._machine()

    def _messages(self) -> None:
        by_account = ("account",)
        self.received = self._counter(
            "messages_received", "Messages acknowledged to their sender", by_account
        )
        self.settled = self._counter("messages_settled", "Messages that became part of a ticket", by_account)
        self.duplicates = self._counter("messages_duplicate", "Messages that were known already", by_account)
        self.quarantined = self._counter("messages_quarantined", "Messages set aside", by_account)
        self.put_off = self._counter("messages_put_off", 'Messages answered "try again later"', by_account)
        self.ack_seconds = self._histogram(
            "ack_seconds", "From the last byte to the acknowledgement", _FAST_S
        )
        self.turn_seconds = self._histogram(
            "turn_seconds", "From a turn of a call or a chat to its answer, committed", _FAST_S
        )
        self.settle_seconds = self._histogram(
            "settle_seconds", "From acknowledgement to visible ticket", _SLOW_S
        )
        self.journal_lag = self._gauge("journal_lag_seconds", "Age of the oldest message not settled")
        self.chats_open = self._gauge("chats_open", "Pages that listen to a chat")
        self.journal_pending = self._gauge("journal_pending", "Messages acknowledged and not settled")
        self.last_received = self._gauge(
            "last_received_timestamp_seconds", "When the last message came", by_account
        )
        place = ("account", "place")
        self.missing = self._gauge(
            "ledger_missing", "Messages that the server holds and nothing accounts for", place
        )
        self.given_up = self._gauge(
            "ledger_given_up", "Messages that stay on the server: a person has to look", place
        )
        self.channel_troubles = self._gauge(
            "channel_troubles",
            "What an account cannot do now: the other side is down, a login is wrong",
            by_account,
        )
        self.silence = self._gauge("silence_alarm", "1 = nothing came in for longer than the set open hours")

    def _outgoing(self) -> None:
        self.outbox = self._gauge("outbox_messages", "Outgoing messages by state", ("state",))
        self.outbox_oldest = self._gauge(
            "outbox_oldest_seconds", "Age of the oldest message waiting to go out"
        )
        self.delivered = self._counter("deliveries", "Messages handed over", ("account",))
        self.delivery_failures = self._counter(
            "delivery_failures", "Attempts that failed", ("account", "final")
        )
        self.replies_withheld = self._counter(
            "replies_withheld", "Automatic replies that a limit held back", ("limit",)
        )
        self.fetched = self._counter("files_fetched", "Files that providers kept for us", ("account",))
        self.fetch_failures = self._counter(
            "file_failures", "Attempts to fetch a file that failed", ("account", "final")
        )
        self.phone_withheld = self._counter(
            "messages_withheld", "Texts, calls and automatic mail that the gate held back", ("reason",)
        )
        self.budget_alarms = self._counter(
            "phone_budget_alarms", "Budgets of texts and calls that were used up", ("budget",)
        )
        self.timers_fired = self._counter("timers_fired", "Timers that fired", ("kind",))
        self.timer_lateness = self._histogram("timer_lateness_seconds", "How late timers fired", _SLOW_S)
        self.timers_due = self._gauge("timers_due", "Timers that are due and have not fired, 10000 at most")
        self.timers_oldest = self._gauge("timers_oldest_seconds", "How long the oldest of them has been due")
        self.timers_failed = self._gauge(
            "timers_failed", "Timers that were given up: see intake timers list --failed"
        )
        self.timer_failures = self._counter("timer_failures", "Tries of timers that broke", ("final",))
        self.clockwork_failures = self._counter(
            "clockwork_failures", "Clock rules, hand-overs or digests that broke", ("clockwork",)
        )

    def _machine(self) -> None:
        self.reloads = self._counter("rule_reloads", "Times the rules were read again", ("result",))
        self.rules_refused = self._gauge(
            "rules_refused", "1 = changed rules are refused, the old ones in force"
        )
        self.rule_failures = self._counter(
            "rule_failures", "Rules that broke and so did not match", ("rule",)
        )
        self.ready = self._gauge("ready", "1 = /readyz says 200")

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"intake_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"intake_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"intake_{name}", text, buckets=buckets, registry=self.registry)

    def exposition(self) -> bytes:
        """Write every value in Prometheus' text format 0.0.4."""
        return generate_latest(self.registry)
