"""Recognises the lines that mail programs put between an answer and what it answers."""

import re

MAX_ATTRIBUTION_LINES = 5
MAX_ATTRIBUTION_CHARS = 400
MAX_ATTRIBUTIONS = 20  # that stand behind other text
MAX_HEADER_BLOCK_LINES = 12
MAX_FOOTER_CHARS = 120
MAX_FOOTER_WORDS = 12
MIN_DISCLAIMER_CHARS = 120
MAX_DISCLAIMER_CHARS = 4_000

_ADDRESS = re.compile(r"[^\s<>@\[\]()]{1,64}@[^\s<>@\[\]()]{1,190}\.[^\s<>@\[\]()]{2,24}")
_DATE = re.compile(r"(?:19|20)\d\d|\d{1,4}[./-]\s?\d{1,2}[./-]\s?\d{2,4}|\d{1,2}\s?月")
_TIME = re.compile(r"\d{1,2}[:.h]\d{2}")
# Wrote, in the languages of Europe and some more: asked only where neither an address nor quoted lines decide.
_WROTE = re.compile(
    r"(?i)\b(?:wrote|writes|sent|schrieb|geschrieben|a écrit|écrit|escribió|escreveu|ha scritto|scrisse|schreef|skrev|kirjoitti|napisał|napisała|"
    r"napisał\(a\)|napsal|napsala|napísal|napísala|írta|ezt írta|a scris|написал|написала|пишет|писал|написав|написа|έγραψε|yazdı|rašė|rakstīja|kirjutas|"
    r"je napisao|je napisala|je napisal|scríobh|kiteb|viết|כתב|כתבה|كتب)\b|写道|寫道|書きました|のメール|작성",
)
# The word that begins an attribution; only asked for one that stands behind other text.
_BEHIND = re.compile(
    r"(.*?[^\s-])(?:\s*-{2,}\s*|\s+)(?=(?:On|Am|Le|El|Em|A|Il|Op|Den|Dne|Dňa|W dniu|Στις|Pe|På|Kl\.|Dnia|В|Dana) .{0,30}\d)",
)
_FORWARD = re.compile(
    r"(?i)^[-*\s]{0,20}(?:begin |start of |anfang der |début du |inizio )?(?:forwarded (?:message|by|mail)|weitergeleitete (?:nachricht|e-?mail|mail)|"
    r"message (?:transféré|réexpédié)|mensaje reenviado|mensagem (?:encaminhada|reencaminhada)|messaggio inoltrato|wiadomość przekazana|"
    r"przekazana wiadomość|doorgestuurd bericht|vidarebefordrat meddelande|vidaresendt|videresendt (?:melding|meddelelse|besked)|"
    r"προωθημένο μήνυμα|přeposlaná zpráva|preposlaná správa|továbbított (?:üzenet|levél)|mesaj redirecționat|пересылаемое сообщение|"
    r"переслане повідомлення|iletilen (?:ileti|mesaj)|välitetty viesti|proslijeđena poruka|posredovano sporočilo)",
)
FORWARD_INITIALS = frozenset("-*BbSsAaDdIiFfWwMmPpTtVvΠπПпŘŘp")
_SEPARATOR = re.compile(r"^\s*[-*]{3,}\s*[^\s*-][^-\n]{1,70}?\s*[-*]{3,}\s*$")
_RULER = re.compile(r"^\s*[_=-]{10,}\s*$")
_FIELD = re.compile(r"^[\s>*_]{0,6}([^\W\d_][\w .'/()-]{0,30}?)[*_]{0,2}\s?[:：][*_]{0,2}\s*(.*)$")
# From, in the same languages: the first line of such a block when it names no date.
_FROM = frozenset(
    ["from", "von", "de", "da", "van", "od", "fra", "från", "lähettäjä", "από", "feladó", "от", "від", "kimden", "nuo", "no", "saatja", "de la",
     "expéditeur", "remitente", "mittente", "nadawca", "odesílatel", "odosielateľ", "pošiljatelj", "发件人", "寄件者", "差出人", "보낸 사람", "מאת", "من"],
)  # fmt: skip
_SENT = frozenset(
    ["date", "datum", "fecha", "data", "dato", "päivämäärä", "ημερομηνία", "tarih", "dátum", "дата", "data wysłania", "sent", "gesendet", "envoyé",
     "enviado", "enviada el", "inviato", "wysłano", "verzonden", "skickat", "sendt", "lähetetty", "odesláno", "odoslané", "στάλθηκε", "elküldve",
     "trimis", "gönderilen", "отправлено", "надіслано", "发送时间", "日期", "送信日時", "日時", "날짜"],
)  # fmt: skip
_PRODUCT = re.compile(
    r"(?i)(?:iphone|ipad|ipod|apple watch|android|samsung|galaxy|huawei|honor|xiaomi|redmi|oneplus|motorola|nokia|htc|sony xperia|blackberry|"
    r"windows phone|windows mail|windows 1\d|outlook|yahoo mail|yahoo! mail|gmail|proton ?mail|gmx|web\.de|t-online|mail\.ru|icloud|"
    r"thunderbird|spark|tutanota|fairphone|smartphone|nine|k-9 mail|bluemail|aqua mail|mailbird|ios|mail for windows)\b",
)
# Two different things must be said, so that a customer who writes "please keep this confidential" is not cut.
_CONFIDENTIAL = re.compile(
    r"(?i)confidenti|privileged|vertraulich|confidencia|riservat|confidenzial|poufn|vertrouwelijk|εμπιστευτικ|απόρρητ|luottamuksellis|fortrolig|"
    r"konfidentiell|konfidenci|důvěrn|dôvern|bizalmas|confidențial|поверител|конфиденциал|конфіденц|gizli|povjerljiv|zaupn",
)
_STRANGER = re.compile(
    r"(?i)intended (?:recipient|only|solely)|addressee|received (?:this|it).{0,40}error|by mistake|empfänger|irrtümlich|destinata|par erreur|por error|por engano|"
    r"per errore|adresat|omyłkow|geadresseerde|ten onrechte|παραλήπτη|εκ παραδρομής|vastaanottaj|modtager|mottaker|mottagare|příjemc|adresát|címzett|"
    r"destinatar|получател|адресат|alıcı|primatelj|prejemnik",
)
_LINK_AT_END = re.compile(r"\s*[<(\[]\s*https?://[^>)\]]*[>)\]]?\s*$|\s*https?://\S*\s*$")


def with_attributions_apart(text: str) -> str:
    """The text with a line break before an attribution that some phones put behind the last word of the answer."""
    at = 0
    for _ in range(MAX_ATTRIBUTIONS):
        at = text.find(":\n>", at) + 1
        if not at:
            break
        begin = text.rfind("\n", 0, at) + 1
        found = _BEHIND.match(text, begin, at) if at - begin <= MAX_ATTRIBUTION_CHARS else None
        if found:
            text = f"{text[: found.end(1)]}\n{text[found.end() :]}"
    return text


def is_forward(line: str) -> bool:
    """A line that announces a forwarded mail, as mail programs write it."""
    return len(line) <= MAX_FOOTER_CHARS and bool(_FORWARD.match(line))


def attribution_start(lines: list[str], number: int) -> int | None:
    """Where the attribution ("On … X wrote:") that ends with this line begins; None when it is none."""
    window = ""
    start = None
    weak_start = None
    seen = 0
    for at in range(number, max(-1, number - 2 * MAX_ATTRIBUTION_LINES), -1):
        line = lines[at].strip()
        if not line:
            continue
        window = f"{line} {window}" if window else line
        seen += 1
        if seen > MAX_ATTRIBUTION_LINES or len(window) > MAX_ATTRIBUTION_CHARS:
            break
        has_address = bool(_ADDRESS.search(window))
        if _DATE.search(line) and (has_address or (_TIME.search(window) and _WROTE.search(window))):
            start = at
            break
        if weak_start is None and has_address and _WROTE.search(window):
            weak_start = at
    return start if start is not None else weak_start


def introduction_of_quote(lines: list[str], number: int) -> int:
    """Where the attribution above a quoted block begins; the block itself when there is none.

    Above quoted lines any line that ends with a colon will do, in any language, or one that names an address and a date.
    """
    at = number - 1
    while at >= 0 and number - at < 4 and not lines[at].strip():
        at -= 1
    if at < 0 or not lines[at].strip():
        return number
    line = lines[at].strip()
    if len(line) > MAX_ATTRIBUTION_CHARS:
        return number
    if line[-1] in ":：":
        found = attribution_start(lines, at)
        if found is not None:
            return found
        if _has_number_or_address(line) or len(line.split()) <= 8:
            return _above_wrapped(lines, at)
    elif _ADDRESS.search(line) and _DATE.search(line):
        return at
    return number


def _above_wrapped(lines: list[str], at: int) -> int:
    """The line above belongs to it when it carries the date: "On 3 May 2026 at 10:00" above "Anna wrote:"."""
    above = lines[at - 1].strip() if at else ""
    return at - 1 if above and _DATE.search(above) and _TIME.search(above) and len(above) < 100 else at


def _has_number_or_address(line: str) -> bool:
    return bool(_ADDRESS.search(line) or _DATE.search(line) or _TIME.search(line))


def is_separator(lines: list[str], number: int) -> bool:
    """A line like "-----Original Message-----" in any language, or a ruler with the fields of a mail below it."""
    line = lines[number]
    if len(line) > 120:
        return False
    if _SEPARATOR.match(line):
        return any(character.isalpha() for character in line)
    if not _RULER.match(line):
        return False
    return any(is_header_block(lines, below) for below in range(number + 1, min(number + 4, len(lines))))


def may_begin_block(lines: list[str], number: int) -> bool:
    """A block of fields begins below an empty line or with "From"; asking every line of a long list is quadratic."""
    if number == 0 or not lines[number - 1].strip():
        return True
    first = _FIELD.match(lines[number][:300])
    return first is not None and first[1].strip().lower() in _FROM | _SENT


def is_header_block(lines: list[str], number: int) -> bool:
    """At least three "Word: value" lines from here on that look like a mail's own header fields.

    A form that a customer fills in looks similar: so there must be an address or a "From", and a date or a "From".
    """
    first = _FIELD.match(lines[number][:300])
    if first is None:
        return False
    fields = _block_fields(lines, number)
    is_from = fields[:1] != [] and fields[0][0].lower() in _FROM
    is_known = is_from or (fields[:1] != [] and fields[0][0].lower() in _SENT)
    if len(fields) < (2 if is_known else 3):
        return False
    values = "\n".join(value for _, value in fields)
    if len(fields) == 2:
        return bool(_DATE.search(values) and _TIME.search(values) and _ADDRESS.search(values))
    has_date = bool(_DATE.search(values) and _TIME.search(values))
    has_address = bool(_ADDRESS.search(values))
    return (is_from and (has_date or has_address)) or (has_date and has_address)


def _block_fields(lines: list[str], number: int) -> list[tuple[str, str]]:
    """The (name, value) lines of a block; one line in between may be the rest of a long value."""
    fields: list[tuple[str, str]] = []
    strangers = 0
    for line in lines[number : number + MAX_HEADER_BLOCK_LINES]:
        found = _FIELD.match(line[:300])
        if found and len(found[1].split()) <= 3:
            fields.append((found[1].strip(), found[2]))
            strangers = 0
        else:
            strangers += 1
            if strangers > 1 or not fields:
                break
    return fields


def introduction_start(lines: list[str], number: int) -> int:
    """A line that announces the block ("Begin forwarded message:", a ruler) goes with it."""
    at = number - 1
    while at >= 0 and number - at <= 2 and not lines[at].strip():
        at -= 1
    if at < 0:
        return number
    line = lines[at].strip()
    if line and ((line[-1] in ":：" and len(line) <= 60) or _RULER.match(line) or _SEPARATOR.match(line)):
        return at
    return number


def is_footer(line: str, *, above: str) -> bool:
    """A last line that names the device or program: short, no sentence, an empty line above it."""
    text = _LINK_AT_END.sub("", line.strip()).strip(" .*_[]<>")
    if not text or len(line) > MAX_FOOTER_CHARS * 2 or len(text) > MAX_FOOTER_CHARS or above.strip():
        return False
    if len(text.split()) > MAX_FOOTER_WORDS or text[-1] in "!?":
        return False
    products = list(_PRODUCT.finditer(text))
    return bool(products) and len(text) - products[-1].end() <= 20


def is_disclaimer(paragraph: str) -> bool:
    """Boilerplate that a company's server adds: long, calls the mail confidential and says what strangers must do with it."""
    if not MIN_DISCLAIMER_CHARS <= len(paragraph) <= MAX_DISCLAIMER_CHARS:
        return False
    return bool(_CONFIDENTIAL.search(paragraph) and _STRANGER.search(paragraph))
