"""What a customer texted, as Twilio posts it: the form of an incoming message -> Message. Pure; reads any bytes.

Source: "Twilio's request to your incoming message webhook URL" (twilio.com/docs/messaging/guides/webhook-request); of users
without a number Twilio's changelog, "WhatsApp usernames: new Business-Scoped User ID (BSUID)": From is the number while it is
told, else the id, and ExternalUserId is the id in either case; and requests as they were seen. Checked 2026-11. All that Twilio says beside the
text (ButtonPayload, ReferralSourceUrl, Latitude, NumSegments, …) is in Message.headers under its own name in lower case,
so that a rule may ask for header.ButtonPayload.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import parse_qsl

from channels import language, phone_numbers
from channels.contract import Address, Attachment, Identity, Message, RawMessage
from channels.twilio import flow_answers, media_names

MAX_FIELDS = 300
MAX_HEADERS = 100
MAX_HEADER_CHARS = 2_000
MAX_TEXT_CHARS = 100_000
MAX_OTHERS = 50  # recipients of one group MMS, and more than a carrier allows
WHATSAPP = "whatsapp:"

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SCHEME = re.compile(r"(whatsapp|rcs|messenger):", re.IGNORECASE)
_OTHER = re.compile(r"OtherRecipients\d*")
# Names the text itself, which has a place of its own, and what nobody asks a message for.
_UNSAID = frozenset(("body", "accountsid", "smssid", "smsmessagesid", "apiversion", "channelmetadata"))
_MEDIA = re.compile(r"media(url|contenttype|sid)\d+")

Form = dict[str, str]


def form_of(body: bytes) -> Form:
    """Read a form, the first value of each name; whatever is no form is read as far as it goes."""
    text = body.decode("utf-8", "replace")
    parts = "&".join(text.split("&", MAX_FIELDS)[:MAX_FIELDS])
    return dict(reversed(parse_qsl(parts, keep_blank_values=True, errors="replace")))


def message(raw: RawMessage, *, medium: str) -> Message:
    """Return the normal form of an incoming message. medium: of the account that it came to."""
    form = {_clean(name): _clean(value) for name, value in form_of(raw.body).items()}
    sender, also = people(form)
    for each in (sender, *also):
        if each is not None:
            phone_numbers.country(each.value)  # remembered: where it is asked for, time is dearer
    written = _written(form)
    sid = form.get("MessageSid") or form.get("SmsMessageSid") or form.get("SmsSid")
    return Message(
        kind=medium,
        message_id=sid or None,
        in_reply_to=tuple(filter(None, [form.get("OriginalRepliedMessageSid")])),
        from_=Address(sender.value, form.get("ProfileName", "")[:200]) if sender is not None else None,
        to=tuple(_addresses(form.get("To", ""))),
        cc=tuple(_others(form)),
        sent_at=_instant(raw.envelope.get("sent_at")),
        text="\n".join(filter(None, [written, *_remarks(form)]))[:MAX_TEXT_CHARS],
        visible_text=written[:MAX_TEXT_CHARS],
        language=language.detect(form.get("Body", "")[: language.MAX_CHARS], language.DEFAULT),
        attachments=_attachments(form),
        automatic="reaction" if _is_reaction(form) else None,
        sender=sender,
        also=also,
        headers=_headers(form),
        problems=tuple(_problems(raw, form, medium)),
    )


def people(form: Form) -> tuple[Identity | None, tuple[Identity, ...]]:
    """Return who wrote, and their further names.

    A WhatsApp user may hide their number and is an id then ("PL.1502576394655843"); while the number is told, it comes
    first, because older messages are known by it and answers can go to it.
    """
    written = form.get("From", "").strip()
    value = plain(written)
    if not value:
        return None, ()
    if not written.lower().startswith(WHATSAPP):
        return Identity("phone", value), ()
    number = phone_numbers.e164(value)
    phones = [Identity("phone", number)] if number is not None else []
    # The parent's is the same person's for all of an organization's portfolios at Meta.
    users = (plain(form.get(name, "")) for name in ("ExternalUserId", "ParentExternalUserId"))
    ids = [Identity("whatsapp", user) for user in users if user and user != value]
    return Identity("whatsapp", value), (*phones, *ids)


def plain(written: str) -> str:
    """Return an address without Twilio's prefix; a number in E.164, a short code or a name as it is written."""
    text = _SCHEME.sub("", written.strip(), count=1).strip()
    return (phone_numbers.e164(text) or text)[:200]


def _clean(text: str) -> str:
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _addresses(written: str) -> Iterator[Address]:
    if plain(written):
        yield Address(plain(written))


def _others(form: Form) -> Iterator[Address]:
    """Give who else got a group MMS."""
    names = sorted(name for name in form if _OTHER.fullmatch(name))
    for name in names[:MAX_OTHERS]:
        yield from _addresses(form[name])


def _instant(written: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _written(form: Form) -> str:
    """Return what the customer said: words, a button, a place, a reaction, a form that they have filled in."""
    said = form.get("Body", "").strip("\n")
    if _is_reaction(form):
        said = f"Reaction: {said}" if said else "A reaction was taken back"
    chosen = next(filter(None, (form.get(name, "") for name in ("ButtonText", "ListTitle"))), "")
    return "\n".join(filter(None, [said or chosen, _place(form), *flow_answers.lines(form)]))


def _is_reaction(form: Form) -> bool:
    return form.get("MessageType", "").lower() == "reaction"


def _place(form: Form) -> str:
    """Return a shared place in one line; its geo URI is RFC 5870's."""
    latitude, longitude = form.get("Latitude", "").strip(), form.get("Longitude", "").strip()
    if not latitude or not longitude:
        return ""
    # Without a name Twilio may repeat the address as the text.
    names = [form.get(name, "") for name in ("Label", "Address")]
    named = ", ".join(name for name in dict.fromkeys(names) if name and name != form.get("Body"))
    where = f"geo:{latitude},{longitude}"
    return f"Location: {named} ({where})" if named else f"Location: {where}"


def _remarks(form: Form) -> Iterator[str]:
    """Say what an agent should know beside the customer's words."""
    if form.get("FrequentlyForwarded", "").lower() == "true":
        yield "(forwarded many times)"
    elif form.get("Forwarded", "").lower() == "true":
        yield "(forwarded)"
    advert = [form.get(f"Referral{name}", "") for name in ("Headline", "Body", "SourceUrl")]
    if any(advert):
        yield f"(came from an advertisement: {' · '.join(filter(None, advert))})"


def _attachments(form: Form) -> tuple[Attachment, ...]:
    """Name the files, which are fetched later: size and hash are not known yet."""
    found = []
    for number in range(media_names.MAX_FILES):
        if form.get(f"MediaUrl{number}"):
            content_type = media_names.content_type_of(form.get(f"MediaContentType{number}", ""))
            found.append(
                Attachment(
                    name=media_names.name_of(content_type, number + 1),
                    content_type=content_type,
                    size=0,
                    sha256="",
                    inline=False,
                    part=media_names.part(number),
                )
            )
    return tuple(found)


def _headers(form: Form) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in form.items():
        lower = name.lower()
        if value and lower not in _UNSAID and not _MEDIA.fullmatch(lower) and len(lower) <= 100:
            found.setdefault(lower, (value[:MAX_HEADER_CHARS],))
        if len(found) >= MAX_HEADERS:
            break
    return found


def _problems(raw: RawMessage, form: Form, medium: str) -> Iterator[str]:
    for said in raw.envelope.get("problems") or ():
        yield str(said)
    if form.get("From", "").lower().startswith(WHATSAPP) != (medium == "whatsapp") and form.get("From"):
        yield f"a message of another medium came to an account for {medium}"
    named = form.get("NumMedia", "0")
    if named.isascii() and named.isdigit() and int(named[:4]) > len(_attachments(form)):
        yield f"{int(named[:4])} files were announced, and {len(_attachments(form))} named"
    if form.get("MessageType", "").lower() == "unsupported":
        yield "WhatsApp does not pass this kind of message on"
    elif not form.get("Body") and not _written(form) and not _attachments(form):
        yield "the message is empty"
