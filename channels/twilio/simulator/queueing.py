"""<Enqueue>: somebody waits, hears what the waiting document says, and leaves it.

Source: twilio.com/docs/voice/twiml/enqueue (2026-11): waitUrl gets QueuePosition, QueueTime, AvgQueueTime, CurrentQueueSize
and is asked again when its document ends; <Leave> goes on after <Enqueue>; action gets QueueResult and QueueTime.
"""

from channels.twilio.simulator.grammar import Element
from channels.twilio.simulator.legs import VERBS, HungUp, Leg, Next
from channels.twilio.simulator.webhooks import Failed, resolved

MUSIC_S = 30.0
_ROUNDS = 100


async def _enqueue(leg: Leg, verb: Element) -> Next | None:
    """Let a caller wait until the waiting document says <Leave>, or the caller has had enough."""
    began_s = leg.studio.time.now_s
    queue, document = verb.text, leg.url
    leg.say("waits in the queue", queue)
    result = "leave"
    for _ in range(_ROUNDS):
        if "waitUrl" not in verb.attributes:
            await _music(leg)
            continue
        if not await _wait(leg, verb, queue, began_s):
            break
    else:
        result = "error"
    leg.url = document
    if "action" not in verb.attributes:
        return None
    waited_s = round(leg.studio.time.now_s - began_s)
    return Next(leg.at(verb.get("action")), {"QueueResult": result, "QueueTime": str(waited_s)})


async def _music(leg: Leg) -> None:
    leaves_s = leg.persona.leaves_after()
    await leg.rest(MUSIC_S if leaves_s is None else leaves_s)
    if leaves_s is not None:
        leg.leave()
        raise HungUp


async def _wait(leg: Leg, verb: Element, queue: str, began_s: float) -> bool:
    """Play the waiting document once; whether the caller waits on."""
    told = {
        "QueueSid": leg.studio.provider.account.replace("AC", "QU", 1),
        "QueueName": queue,
        "QueuePosition": "1",
        "QueueTime": str(round(leg.studio.time.now_s - began_s)),
        "AvgQueueTime": "0",
        "CurrentQueueSize": "1",
    }
    url = resolved(verb.get("waitUrl"), of=leg.url)
    try:
        root = await leg.studio.webhooks.document(url, leg.studio.fields(leg.call, **told), place="waiting")
    except Failed:
        await _music(leg)
        return True
    leg.url = url
    await leg.execute(root)
    if any(each.name == "Leave" for each in root.children):
        return False
    if not root.children:
        await _music(leg)
    return True


VERBS["Enqueue"] = _enqueue
