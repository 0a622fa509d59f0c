"""Words of consent: STOP and its kin, START, HELP, in the languages an account names; pure.

A word counts only when nothing else was said: in any case, with any punctuation, with or without accents. "STOP 12345",
"please stop by" and "end of month" are messages. English always counts, whatever the account names.

What Twilio does by itself: on long codes and toll-free numbers it blocks the number that sends one of `DEFAULTS` and
confirms it; a text after that is refused (21610), so that nothing of ours may follow. START, YES and UNSTOP lift the
block. It does so with the whole message only, in any case, for English words only and not on WhatsApp. A messaging
service with Advanced Opt-Out says in `OptOutType` (STOP, START, HELP) what it took a message for, has answered it, and
does so for WhatsApp, too. Twilio, "Twilio support for opt-out keywords (SMS STOP filtering)" and "How to Track Opt-Out,
Opt-In and Help Messages Using the OptOutType Parameter" (help centre), "Customize users' opt-in and opt-out experience
with Advanced Opt-Out" (docs); checked 2026-11. REVOKE, OPTOUT and "opt out" are also in the FCC's list of words that
always count (47 CFR 64.1200(a)(10)).

What else we decide: CANCEL, END and QUIT are daily speech, and opt-outs of texts all the same, because Twilio has closed
the number by then; on other media they are messages, and so are their translations everywhere. Words for START and HELP
count as such only when they make sense, which intake knows: see `perhaps`.
"""

import unicodedata
from typing import Literal

Word = Literal["stop", "start", "help"]

SMS = "sms"
ENGLISH = "en"
# What Twilio blocks by itself on long codes. checked 2026-11
DEFAULTS = frozenset({"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"})
_DEFAULT_STARTS = frozenset({"start", "yes", "unstop"})
# Daily speech where nobody but us listens.
_TEXTS_ONLY = frozenset({"end", "quit", "cancel"})
_LONGEST = 40  # characters: no word of the tables is longer, whatever stands around it
_TYPES: dict[str, Word] = {"STOP": "stop", "START": "start", "HELP": "help"}
# Letters that no decomposition takes apart.
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})


def folded(text: str) -> str:
    """Return the words of a text without case, accents and punctuation, a space between them.

    "¡Désabonner!" is "desabonner"; "S.T.O.P." is "s t o p", which is no word of ours.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = (each for each in decomposed if not unicodedata.combining(each))
    # Marks that shape or turn letters around stand inside words and are none of them.
    kept = (" " if _parts(each) else each for each in letters if unicodedata.category(each) != "Cf")
    joined = unicodedata.normalize("NFC", "".join(kept)).translate(_LETTERS)
    return " ".join(joined.split())


def _parts(character: str) -> bool:
    return unicodedata.category(character)[0] not in "LN"


def _table(words: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    return {language: frozenset(folded(each) for each in said) for language, said in words.items()}


STOPS = _table(
    {
        ENGLISH: {*DEFAULTS, "stop all", "opt out"},
        "ar": {"قف", "توقف", "ايقاف", "الغاء الاشتراك"},
        "cs": {"odhlásit", "odhlaste"},
        "da": {"afmeld", "frameld"},
        "de": {"stopp", "abmelden", "abbestellen", "austragen"},
        "el": {"στοπ", "διακοπη", "διαγραφη"},
        "es": {"baja", "parar", "detener", "desuscribir", "desuscribirme"},
        "fi": {"lopeta"},
        "fr": {"arret", "arrete", "arreter", "desabonner", "desinscrire", "desinscription"},
        "he": {"הסר", "הסירו", "להסרה", "עצור"},
        "hu": {"leiratkozas", "leiratkozom", "leallit"},
        "id": {"berhenti"},
        "it": {"disiscrivi", "disiscrivimi", "disiscrizione", "cancellami"},
        "ja": {"停止", "配信停止", "ストップ"},
        "ko": {"수신거부", "수신 거부", "그만"},
        "nl": {"stoppen", "afmelden", "uitschrijven"},
        "no": {"stopp", "avmeld"},
        "pl": {"wypisz", "wypisz mnie", "rezygnuje", "rezygnacja", "zatrzymaj"},
        "pt": {"parar", "pare", "sair", "descadastrar", "remover"},
        "ro": {"dezabonare", "dezabonez", "opreste"},
        "ru": {"стоп", "отписаться", "отпишись", "отписка"},
        "sk": {"odhlásiť", "odhláste"},
        "sv": {"stopp", "avregistrera", "avprenumerera", "avanmal"},
        "tr": {"dur", "durdur", "ret"},
        "uk": {"стоп", "відписатися", "відписатись", "відписка"},
        "zh": {"退订", "退訂", "停止"},
    }
)

STARTS = _table(
    {
        ENGLISH: {"start", "unstop", "yes"},
        "ar": {"ابدا", "اشتراك"},
        "cs": {"prihlasit"},
        "da": {"tilmeld"},
        "de": {"anmelden"},
        "el": {"εναρξη"},
        "es": {"alta", "comenzar", "iniciar"},
        "fi": {"aloita"},
        "fr": {"reprendre", "commencer", "abonner"},
        "he": {"התחל", "הצטרף"},
        "hu": {"feliratkozas", "feliratkozom"},
        "id": {"mulai"},
        "it": {"inizia", "iscrivimi"},
        "ja": {"開始", "再開"},
        "ko": {"시작", "수신동의"},
        "nl": {"aanmelden"},
        "no": {"pameld"},
        "pl": {"wznow", "zapisz mnie"},
        "pt": {"iniciar", "comecar", "voltar"},
        "ro": {"abonare", "incepe"},
        "ru": {"старт", "подписаться"},
        "sk": {"prihlasit"},
        "sv": {"starta"},
        "tr": {"basla", "baslat"},
        "uk": {"старт", "підписатися"},
        "zh": {"开始", "開始", "订阅"},
    }
)

HELPS = _table(
    {
        ENGLISH: {"help", "info"},
        "ar": {"مساعدة"},
        "cs": {"pomoc", "napoveda"},
        "da": {"hjaelp", "hjalp"},
        "de": {"hilfe"},
        "el": {"βοηθεια"},
        "es": {"ayuda"},
        "fi": {"apua", "ohje"},
        "fr": {"aide"},
        "he": {"עזרה"},
        "hu": {"segitseg", "sugo"},
        "id": {"bantuan"},
        "it": {"aiuto"},
        "ja": {"ヘルプ"},
        "ko": {"도움말", "도움"},
        "nl": {"hulp"},
        "no": {"hjelp"},
        "pl": {"pomoc"},
        "pt": {"ajuda"},
        "ro": {"ajutor"},
        "ru": {"помощь", "справка"},
        "sk": {"pomoc"},
        "sv": {"hjalp"},
        "tr": {"yardim"},
        "uk": {"допомога", "довідка"},
        "zh": {"帮助", "幫助"},
    }
)

LANGUAGES = frozenset(STOPS)
# What says "no more mail" and nothing else: STOP and the like may be about anything in a mail.
_UNSUBSCRIBES = frozenset(
    {
        "unsubscribe",
        "optout",
        "opt out",
        "abmelden",
        "abbestellen",
        "austragen",
        "odhlasit",
        "odhlaste",
        "afmeld",
    }
    | {
        "frameld",
        "διαγραφη",
        "baja",
        "desuscribir",
        "desuscribirme",
        "desabonner",
        "desinscrire",
        "desinscription",
    }
    | {
        "leiratkozas",
        "leiratkozom",
        "disiscrivi",
        "disiscrivimi",
        "disiscrizione",
        "afmelden",
        "uitschrijven",
    }
    | {"avmeld", "wypisz", "wypisz mnie", "descadastrar", "dezabonare", "dezabonez", "отписаться", "отпишись"}
    | {
        "отписка",
        "avregistrera",
        "avprenumerera",
        "відписатися",
        "відписатись",
        "відписка",
        "退订",
        "退訂",
        "配信停止",
    }
)


def consent_of(
    text: str, *, opt_out_type: str = "", languages: tuple[str, ...] = (), medium: str = SMS
) -> Word | None:
    """Return what a message is for certain: what Twilio took it for, or a word of the STOP family; None = a message.

    opt_out_type: Twilio's OptOutType, "" = none was sent. languages: ISO 639-1, beside English.
    """
    mirrored = _TYPES.get(opt_out_type.strip().upper())
    if mirrored is not None:
        return mirrored
    said = _word(text)
    if said is None or (medium != SMS and said in _TEXTS_ONLY):
        return None
    return "stop" if _is_in(STOPS, said, languages) else None


def perhaps(text: str, *, languages: tuple[str, ...] = ()) -> Literal["start", "help"] | None:
    """Return what a message may be beside a message: START if its sender has said STOP, HELP if nobody talks to them."""
    said = _word(text)
    if said is None:
        return None
    if _is_in(STARTS, said, languages):
        return "start"
    return "help" if _is_in(HELPS, said, languages) else None


def is_unsubscribe(text: str) -> bool:
    """Whether a mail says that no more is wanted, and nothing else, in any language."""
    return _word(text) in _UNSUBSCRIBES


def is_yes(text: str) -> bool:
    """Whether it is YES: it lifts Twilio's block, and may be an answer to a question all the same."""
    return _word(text) == "yes"


def is_confirmed_by_twilio(text: str, *, opt_out_type: str = "", medium: str = SMS) -> bool:
    """Whether Twilio has told the sender itself that it knows: nothing of ours may follow (21610), or need."""
    if opt_out_type.strip():
        return True
    said = text.strip().casefold()  # Twilio compares the whole message: "STOP!" is none of its words
    return medium == SMS and said in DEFAULTS | _DEFAULT_STARTS


def _word(text: str) -> str | None:
    """Return the one word or short phrase that a text consists of; None = it says more."""
    if len(text) > _LONGEST * 4:
        return None
    said = folded(text)
    return said if 0 < len(said) <= _LONGEST else None


def _is_in(table: dict[str, frozenset[str]], said: str, languages: tuple[str, ...]) -> bool:
    return any(said in table.get(each.partition("-")[0], ()) for each in (ENGLISH, *languages))
