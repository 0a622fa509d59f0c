"""What every account of Twilio does beside its messages and calls: it asks for what was lost, and tells what is wrong."""

import logging

from channels import contract
from channels.twilio import probe, settings, setup
from channels.twilio.api import Api
from channels.twilio.reconcile import Reconciler, Source


class Upkeep:
    """One account. source: what the other side is asked for. api: closed with it."""

    def __init__(
        self,
        account: str,
        options: settings.Options,
        *,
        medium: setup.Medium,
        source: Source,
        api: Api,
        log: logging.Logger,
    ) -> None:
        self._account, self._options, self._medium, self._api = account, options, medium, api
        self._reconciler = Reconciler(account, options, source, log=log)

    async def run(self, gate: contract.Gate) -> None:
        """Reconcile until cancelled; see channels.twilio.reconcile."""
        await self._reconciler.run(gate)

    def troubles(self) -> list[str]:
        return self._reconciler.troubles()

    def check(self) -> list[contract.Problem]:
        return list(setup.problems(self._options, self._medium))

    async def probe(self) -> list[contract.Problem]:
        """Ask Twilio how the numbers are set up, and our own webhook whether it answers."""
        if not self._options.login[1]:
            return []  # `check` has said so
        found = await probe.inspect(self._account, self._options, self._medium, self._api)
        differing = [
            contract.Problem(each.sentence, f"intake twilio setup {self._account}")
            for change in found.changes
            for each in change.differences
        ]
        return [*found.problems, *differing, *await probe.knock(self._options, self._account)]

    async def close(self) -> None:
        await self._api.close()
