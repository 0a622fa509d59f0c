"""Plays a scenario against a daemon: customers by the simulator's webhooks, agents by the desk's own functions.

    play = Play(scenario, stage)
    failures = await play.run()         # [] = everything was as expected

A Stage is where it happens: a daemon beside this process, or one inside a test.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from channels.twilio.simulator import provider as provider_
from channels.twilio.simulator.calls import Switchboard
from channels.twilio.simulator.legs import Leg
from channels.twilio.simulator.provider import Provider, Text
from channels.twilio.simulator.scenario import (
    AgentDoes,
    CallIn,
    Expected,
    ProviderDoes,
    Report,
    Scenario,
    Step,
    TextIn,
    given,
)
from channels.twilio.simulator.studio import Studio
from channels.twilio.simulator.texts import WHATSAPP, Mailman
from intake import calling_out, desk, played_checks, scenarios
from intake.answering_by_phone import Chosen
from intake.model import Context
from intake.store.engine import Store, Tx

ROUNDS_MAX = 20
PACE_S = 60.0
PACES_MAX = 120


class Stage(Protocol):
    """Where a scenario is played. whatsapp: our sender; own: our first number."""

    provider: Provider
    studio: Studio
    board: Switchboard
    mailman: Mailman

    @property
    def store(self) -> Store: ...

    @property
    def context(self) -> Context: ...

    async def settled(self) -> None:
        """Return when the daemon has done all that it has to do now."""
        ...

    async def do(self, name: str) -> None:
        """Do something that only this stage knows. Raises: KeyError."""
        ...


class Play:
    """One scenario under way. failures: what was not as expected, one sentence each. tickets: what came of it."""

    def __init__(self, scenario: Scenario, stage: Stage) -> None:
        self.scenario, self.stage = scenario, stage
        self.failures: list[str] = []
        self.legs: list[Leg] = []
        self.tickets: list[dict[str, Any]] = []
        self._people = dict(scenario.people) | {name: each.number for name, each in scenario.phones.items()}
        self._does: dict[str, Callable[[Any], Awaitable[None]]] = {
            "call": self._call,
            "text": self._text,
            "agent": self._agent,
            "report": self._report,
            "provider": self._provider,
            "expect": self._expect,
            "run": self._run,
        }

    async def run(self) -> list[str]:
        """Play every step; what was not as expected."""
        self._cast()
        for number, step in enumerate(self.scenario.steps, 1):
            before = len(self.failures)
            await self._step(step)
            self.failures[before:] = [f"step {number}: {each}" for each in self.failures[before:]]
        self.failures += [*self.stage.studio.missed, *self.stage.studio.webhooks.errors]
        await self._look_at_tickets()
        return self.failures

    async def _look_at_tickets(self) -> None:
        callers = [leg.call.from_ for leg in self.legs]
        writers = [each.from_.removeprefix(WHATSAPP) for each in self.stage.provider.texts.values()]
        numbers = [*self.scenario.people.values(), *callers, *writers]
        self.tickets = await self.stage.store.read(lambda tx: played_checks.tickets_of(tx, numbers))

    def number(self, name: str) -> str:
        """Give the number of somebody; a number is its own."""
        return self._people.get(name, name)

    def _cast(self) -> None:
        """Give everybody their phone, and their name in the transcript."""
        studio = self.stage.studio
        studio.names |= {number: name for name, number in self._people.items()}
        for phone in self.scenario.phones.values():
            studio.phones[phone.number] = [phone, *phone.then]

    async def _step(self, step: Step) -> None:
        [name] = given(step)
        if step.wait is not None:
            await self._wait(scenarios.wait_s(step))
            return
        await self._does[name](getattr(step, name))

    async def _still(self) -> None:
        """Let everything happen that follows from what has happened."""
        time = self.stage.studio.time
        for _ in range(ROUNDS_MAX):
            await time.play()
            await self.stage.settled()
            if not time.is_anything_due:
                return

    async def _wait(self, seconds: float) -> None:
        """Let time go by, a minute or a little more at once: what falls due happens about when it does."""
        time = self.stage.studio.time
        until, pace_s = time.now_s + seconds, max(PACE_S, seconds / PACES_MAX)
        while time.now_s < until:
            await time.play(until_s=min(until, time.now_s + pace_s))
        await self.stage.settled()
        await self._still()

    # -- what customers do --------------------------------------------------------------------------------------------

    async def _call(self, step: CallIn) -> None:
        to = self.number(step.to) or self._own
        self.legs.append(self.stage.board.incoming(self.number(step.from_), to, step.does))
        if not step.parallel:
            await self._still()

    @property
    def _own(self) -> str:
        return next(iter(self.stage.provider.numbers))

    async def _text(self, step: TextIn) -> None:
        sender, own = self.number(step.from_), self.number(step.to) or self._own
        if step.via == "whatsapp":
            sender, own = WHATSAPP + sender, WHATSAPP + own
        extra = dict(step.extra) | ({"ProfileName": step.profile} if step.profile else {})
        for _ in range(step.count):
            text = self.stage.provider.receive(sender, own, step.body, media=self._files(step), **extra)
            if not step.lost:
                await self.stage.mailman.bring(text, times=step.times)
        await self.stage.settled()
        await self._still()

    def _files(self, step: TextIn) -> tuple[provider_.Media, ...]:
        make = self.stage.provider.media
        return tuple(
            make(b"\xff\xd8" + bytes(size - 2), kind) for each in step.files for kind, size in each.items()
        )

    # -- what agents do -----------------------------------------------------------------------------------------------

    async def _agent(self, step: AgentDoes) -> None:
        number = self.number(step.ticket_of)
        try:
            await self.stage.store.write(lambda tx: _at_desk(tx, self.stage.context, step, number))
        except desk.DeskError as error:
            if not step.refused or step.refused not in str(error):
                self.failures.append(f"{step.name} could not do it: {error}")
        else:
            if step.refused:
                self.failures.append(f"{step.name} was not told: {step.refused}")
        await self.stage.settled()
        await self._still()

    # -- what Twilio does ---------------------------------------------------------------------------------------------

    async def _report(self, step: Report) -> None:
        to = self.number(step.to)
        found = [each for each in self.stage.provider.sent if each.to.removeprefix(WHATSAPP) == to]
        if not found:
            self.failures.append(f"nothing was sent to {step.to}, so nothing can be reported")
            return
        await self._report_on(found[-1], step)
        await self.stage.settled()

    async def _report_on(self, text: Text, step: Report) -> None:
        for status in step.statuses:
            name, _, code = status.partition(" ")
            for _ in range(step.times):
                await self.stage.mailman.report(text, name, int(code) if code else None)

    async def _provider(self, step: ProviderDoes) -> None:
        provider, studio = self.stage.provider, self.stage.studio
        if step.refuses is not None:
            provider.refusal = None
            if step.refuses:
                provider.refuse(step.refuses, step.times)
        provider.sorts |= {self.number(name): sort for name, sort in step.sorts.items()}
        provider.opted_out |= {(self._own, self.number(each)) for each in step.opted_out}
        provider.templates |= set(step.templates)
        if step.loses is not None:
            studio.webhooks.lost = set(step.loses)
        for name, value in (("is_down", step.is_down), ("pick", step.pick), ("callbacks", step.callbacks)):
            if value is not None:
                setattr(provider if name == "is_down" else studio, name, value)
        if step.doubled is not None:
            studio.webhooks.is_doubled = step.doubled

    async def _run(self, names: tuple[str, ...]) -> None:
        for name in names:
            await self.stage.do(name)
        await self.stage.settled()
        await self._still()

    async def _expect(self, expected: Expected) -> None:
        await asyncio.sleep(0)
        self.failures += await played_checks.failures(self, expected)


def _at_desk(tx: Tx, context: Context, step: AgentDoes, number: str) -> None:
    ref = played_checks.newest_ref(tx, number)
    if ref is None:
        raise desk.DeskError(f"{number} has no ticket")
    if step.notes:
        desk.note(tx, context, ref, agent=step.name, text=step.notes)
    if step.calls:
        calling_out.call(tx, context, ref, agent=step.name)
    if step.replies or step.template:
        chosen = Chosen(step.template, step.values) if step.template else None
        desk.reply(
            tx, context, ref, agent=step.name, text=step.replies, status=step.status or None, chosen=chosen
        )
    elif step.status:
        desk.set_status(tx, context, ref, step.status, agent=step.name)
