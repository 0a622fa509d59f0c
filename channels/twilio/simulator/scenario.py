"""What a scenario file says, as values; intake.scenarios reads it. Times in seconds unless written otherwise.

A file has people, phones and steps; a step is one of `call`, `text`, `wait`, `agent`, `report`, `provider`, `run`, `expect`.
"""

from typing import Any, Literal

import msgspec

from channels.twilio.simulator.provider import Sort

Seconds = float


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of a scenario file; a key it does not know is refused."""


class Act(_Part, frozen=True):
    """One thing that somebody on the phone does when it is their turn.

    hear: what must have been said to them before. press: keys. say: words for speech recognition. silence: lets the
    question pass. leave: words onto the voicemail, "" = says nothing; seconds: how long. hang_up: ends the call.
    after: seconds after the question began, or the ringing; None = when it has been said. finish: the key that ends a message.
    maybe: it may not come to this; of every other act it must.
    """

    hear: str | tuple[str, ...] = ()
    press: str | None = None
    say: str | None = None
    confidence: float = 0.9
    silence: bool = False
    leave: str | None = None
    seconds: Seconds = 12
    finish: str = ""
    hang_up: bool = False
    after: Seconds | None = None
    maybe: bool = False

    @property
    def wanted(self) -> tuple[str, ...]:
        return (self.hear,) if isinstance(self.hear, str) else self.hear


class Phone(_Part, frozen=True):
    """How a phone behaves when it is called. answers: after so many seconds of ringing, None = never.

    presses, hears: while it is told who calls; presses_after: seconds after that began, None = when it was said.
    talks: how long it talks when it is connected, then it hangs up. hangs_up: so long after it has answered, before it
    is connected. declines: after so many seconds. machine: it is a voicemail: it answers, and understands nothing.
    then: how it behaves at the next calls, one after the other.
    """

    number: str = ""
    answers: Seconds | None = None
    presses: str = ""
    presses_after: Seconds | None = None
    hears: str | tuple[str, ...] = ()
    talks: Seconds = 30
    hangs_up: Seconds | None = None
    declines: Seconds | None = None
    busy: bool = False
    unreachable: bool = False
    machine: bool = False
    then: tuple["Phone", ...] = ()

    def acts(self) -> tuple[Act, ...]:
        """What it does while it is told who calls."""
        if self.hangs_up is not None:
            return (Act(hear=self.hears, hang_up=True, after=self.hangs_up),)
        if self.machine or not self.presses:
            return (Act(hear=self.hears, silence=True),)
        first, *rest = self.presses.split()
        return (
            Act(hear=self.hears, press=first, after=self.presses_after),
            *(Act(press=each) for each in rest),
        )


class CallIn(_Part, frozen=True, rename={"from_": "from"}):
    """Somebody calls. from_, to: a name of `people`, or a number; to "" = our first number. does: in this order."""

    from_: str
    to: str = ""
    does: tuple[Act, ...] = ()
    parallel: bool = False


class TextIn(_Part, frozen=True, rename={"from_": "from"}):
    """Somebody writes. times: how often the webhook comes. lost: it never comes. file: content type -> size in bytes.

    profile: WhatsApp's name of the sender; extra: further fields of the webhook. via: "sms" or "whatsapp".
    """

    from_: str
    body: str = ""
    to: str = ""
    via: Literal["sms", "whatsapp"] = "sms"
    files: tuple[dict[str, int], ...] = ()
    times: int = 1
    lost: bool = False
    profile: str = ""
    extra: dict[str, str] = {}
    count: int = 1


class AgentDoes(_Part, frozen=True):
    """An agent does something at the desk, with the newest ticket of somebody.

    calls: has the customer called. template, values: of a WhatsApp message. refused: a part of why it cannot be done.
    """

    name: str
    ticket_of: str
    replies: str = ""
    notes: str = ""
    status: str = ""
    calls: bool = False
    template: str = ""
    values: tuple[str, ...] = ()
    refused: str = ""


class Report(_Part, frozen=True):
    """The status callbacks of what was sent to somebody: in this order, each "sent", "delivered", "undelivered 30003"."""

    to: str
    statuses: tuple[str, ...] = ("sent", "delivered")
    times: int = 1


class ProviderDoes(_Part, frozen=True):
    """Twilio itself. refuses: a code for every request, 0 = no more; times: so often. sorts: number -> what sort it is.

    opted_out: who has said STOP to Twilio, and not to us. loses: paths whose webhooks do not come. pick: who wins a
    <Dial>: the first phone that answers, or the first that lets itself be connected. callbacks: in which order.
    """

    refuses: int | None = None
    times: int | None = None
    sorts: dict[str, Sort] = {}
    opted_out: tuple[str, ...] = ()
    loses: tuple[str, ...] | None = None
    is_down: bool | None = None
    pick: Literal["answer", "bridge"] | None = None
    callbacks: Literal["ordered", "late", "shuffled"] | None = None
    doubled: bool | None = None
    templates: tuple[str, ...] = ()


class ExpectedTicket(_Part, frozen=True):
    """A ticket that must be there. of: the customer. events: kinds that are in its history. What is not said is not looked at."""

    of: str
    status: str | None = None
    team: str | None = None
    agent: str | None = None
    medium: str | None = None
    priority: str | None = None
    tags: tuple[str, ...] | None = None
    messages: int | None = None
    subject: str | None = None
    says: str | tuple[str, ...] = ()
    language: str | None = None
    attachments: int | None = None
    events: tuple[str, ...] = ()


class ExpectedText(_Part, frozen=True):
    """A text that must have gone out. says: a part of it. status: what became of it at our side."""

    to: str
    says: str = ""
    template: str | None = None
    status: str | None = None


class ExpectedCall(_Part, frozen=True):
    """A call as intake keeps it. of: the caller."""

    of: str
    outcome: str | None = None
    owner: str | None = None
    choice: str | None = None


class Expected(_Part, frozen=True):
    """What must be true now. heard: by the caller of the last call, in this order; tickets: those named must be there.

    count: how many tickets there are altogether. asked: resource of the REST API -> how many requests. rang: phone -> how often.
    errors: whether any webhook was answered wrongly; False is what is expected unless said otherwise.
    """

    heard: tuple[str, ...] = ()
    not_heard: tuple[str, ...] = ()
    whispered: tuple[str, ...] = ()
    tickets: tuple[ExpectedTicket, ...] = ()
    count: int | None = None
    texts: tuple[ExpectedText, ...] = ()
    texts_count: int | None = None
    calls: tuple[ExpectedCall, ...] = ()
    asked: dict[str, int] = {}
    rang: dict[str, int] = {}
    opted_out: tuple[str, ...] = ()
    not_opted_out: tuple[str, ...] = ()
    person_within_s: float | None = None
    duration_s: float | None = None
    errors: bool = False


class Step(_Part, frozen=True):
    """One step: exactly one of these is set. run: what the driver of the play knows by that name ("reconcile", …)."""

    call: CallIn | None = None
    text: TextIn | None = None
    wait: str | float | None = None
    agent: AgentDoes | None = None
    report: Report | None = None
    provider: ProviderDoes | None = None
    run: tuple[str, ...] | None = None
    expect: Expected | None = None


class DeskIs(_Part, frozen=True):
    """What a desk must be like that a scenario is played with; a desk that is there already is taken as it is.

    phone: options of its account for calls; settings: of intake.yaml beside its channels; rules: added to its rules;
    replies: file name -> text.
    """

    phone: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    rules: str = ""
    replies: dict[str, str] = {}


class Scenario(_Part, frozen=True):
    """One file. people: name -> number; phones: name -> how it behaves (a list: one call after the other).

    at: when it begins, RFC 3339; only a daemon whose clock can be set is told. about: for whoever reads it.
    """

    name: str
    steps: tuple[Step, ...]
    people: dict[str, str] = {}
    phones: dict[str, Phone] = {}
    desk: DeskIs = DeskIs()
    at: str = ""
    seed: int = 1
    about: str = ""


def given(step: Step) -> list[str]:
    """Which words of a step are set."""
    return [name for name in step.__struct_fields__ if getattr(step, name) is not None]
