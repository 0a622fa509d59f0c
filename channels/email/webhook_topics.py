"""Answers what Amazon SNS posts to an account: mail and reports of SES, the beginning and the end of a subscription."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from channels import contract
from channels.email import amazon, posted, ses, sns, webhook_settings

if TYPE_CHECKING:
    from aiohttp import web

    from channels import hooks

_RAW_DELIVERY = "x-amz-sns-rawdelivery"


class Topics:
    """The topics of one account. wrap: makes the raw message of body, envelope and keys of Amazon."""

    def __init__(
        self,
        account: str,
        options: webhook_settings.Options,
        *,
        known_of_amazon: amazon.Amazon,
        wrap: Callable[..., contract.RawMessage],
        log: logging.Logger,
    ) -> None:
        self._account, self._options, self._amazon = account, options, known_of_amazon
        self._wrap, self._log = wrap, log

    async def take(
        self, gate: contract.Gate, bodies: "hooks.Bodies", request: "web.Request"
    ) -> "web.Response":
        from channels import hooks

        if request.headers.get(_RAW_DELIVERY, "").lower() == "true":
            raise posted.forged(
                "SNS posts without its signature: turn raw message delivery of the subscription off"
            )
        async with bodies.read(request) as body:
            envelope = sns.read(body)
            if envelope is None:
                raise hooks.Refused(
                    400, "not a message of SNS", reason="what was posted is not a message of SNS"
                )
            if envelope.topic_arn not in self._options.topics:
                raise posted.forged("a message is of a topic that is not among the account's topics")
            if not await self._amazon.has_signed(envelope):
                raise posted.forged("a message of a configured topic is not signed by Amazon")
            return await self._answer(gate, envelope)

    async def _answer(self, gate: contract.Gate, envelope: sns.Envelope) -> "web.Response":
        if envelope.type == sns.SUBSCRIPTION:
            return await self._confirm(envelope)
        if envelope.type == sns.UNSUBSCRIPTION:
            reason = (
                f"{envelope.topic_arn} was unsubscribed: no mail comes from it any more; subscribe it again"
            )
            self._log.error("sns_unsubscribed account=%s reason=%s", self._account, reason)
            return posted.noted()
        raw = self._of_notification(envelope)
        return posted.noted() if raw is None else posted.stored(await gate.submit(raw))

    async def _confirm(self, envelope: sns.Envelope) -> "web.Response":
        """Confirm the subscription of a configured topic, by an address that is made here and equals Amazon's."""
        if not self._options.confirm_subscriptions:
            reason = f"a subscription of {envelope.topic_arn} waits for its confirmation: confirm_subscriptions is off"
            self._log.warning("sns_not_confirmed account=%s reason=%s", self._account, reason)
            return posted.noted()
        url = sns.confirmation_url(envelope)
        if url is None:
            raise posted.forged(
                "a subscription names an address for its confirmation that is not of its topic"
            )
        await self._amazon.confirm(url)
        self._log.info("sns_confirmed account=%s topic=%s", self._account, envelope.topic_arn)
        return posted.noted()

    def _of_notification(self, envelope: sns.Envelope) -> contract.RawMessage | None:
        """Make the raw message of a notification; None when there is nothing in it for us.

        Raises: Unavailable for what must not be lost and cannot be taken: SNS tries again, then keeps it in its dead letters.
        """
        notification = ses.read(envelope.message)
        if notification is None:
            raise contract.Unavailable(f"{envelope.topic_arn} publishes something that SES does not write")
        if notification.is_report:
            body, report = (
                envelope.message.encode("utf-8", "surrogatepass"),
                ses.report_envelope_of(notification),
            )
            return self._wrap(body, report, f"sns:{envelope.message_id}")
        if not notification.is_received or notification.is_elsewhere:
            kind = notification.receipt.action.type or notification.kind or "unknown"
            self._log.warning("ses_notification_left account=%s kind=%s", self._account, kind)
            return None
        keys = [f"ses:{notification.mail.message_id}"] if notification.mail.message_id else []
        return self._wrap(ses.content_of(notification), ses.envelope_of(notification), *keys)
