"""Instants as people write them, in the customer's language: "tomorrow, 23 November, 10:30 CET".

The date always stands beside today, tomorrow or the weekday, and the zone beside the time: a mail is read later and
elsewhere than it was written. The year stands there when it is another than now's. Words stand in the form that
follows a colon: the templates say "by:" in each language.
"""

from datetime import UTC, datetime, timedelta

import msgspec


class Words(msgspec.Struct, frozen=True):
    """How a language says it. pattern: of {word}, {date}, {time} (with the zone). date, dated: a day without and with its year.

    named: the same as pattern for a weekday, "" = as for today. months: as they stand in a date.
    """

    today: str
    tomorrow: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    date: str = "{day} {month}"
    dated: str = "{day} {month} {year}"
    pattern: str = "{word}, {date}, {time}"
    named: str = ""
    time: str = "{time:%H:%M}"
    first: str = ""  # the first of a month, where that is special


def _words(today: str, tomorrow: str, weekdays: str, months: str, **more: str) -> Words:
    return Words(today, tomorrow, tuple(weekdays.split()), tuple(months.split()), **more)


_DOTTED = {"date": "{day}. {month}", "dated": "{day}. {month} {year}"}
_OF = {"date": "{day} de {month}", "dated": "{day} de {month} de {year}"}
_NO_COMMA = {"named": "{word} {date}, {time}"}
_NORDIC = {**_NO_COMMA, "pattern": "{word}, {date}, kl. {time}", "named": "{word} {date}, kl. {time}"}
_EAST = {"date": "{number}月{day}日", "dated": "{year}年{number}月{day}日"}

LANGUAGES = {
    "bg": _words(
        "днес", "утре",
        "понеделник вторник сряда четвъртък петък събота неделя",
        "януари февруари март април май юни юли август септември октомври ноември декември",
        dated="{day} {month} {year} г.",
    ),
    "ca": _words(
        "avui", "demà",
        "dilluns dimarts dimecres dijous divendres dissabte diumenge",
        "de_gener de_febrer de_març d’abril de_maig de_juny de_juliol d’agost de_setembre d’octubre de_novembre de_desembre",
        dated="{day} {month} de {year}",
    ),
    "cs": _words(
        "dnes", "zítra",
        "pondělí úterý středa čtvrtek pátek sobota neděle",
        "ledna února března dubna května června července srpna září října listopadu prosince",
        **_DOTTED, **_NO_COMMA,
    ),
    "da": _words(
        "i_dag", "i_morgen",
        "mandag tirsdag onsdag torsdag fredag lørdag søndag",
        "januar februar marts april maj juni juli august september oktober november december",
        **_DOTTED, **_NORDIC, time="{time:%H.%M}",
    ),
    "de": _words(
        "heute", "morgen",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        **_DOTTED, time="{time:%H:%M} Uhr",
    ),
    "el": _words(
        "σήμερα", "αύριο",
        "Δευτέρα Τρίτη Τετάρτη Πέμπτη Παρασκευή Σάββατο Κυριακή",
        "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου Δεκεμβρίου",
    ),
    "en": _words(
        "today", "tomorrow",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "January February March April May June July August September October November December",
    ),
    "es": _words(
        "hoy", "mañana",
        "lunes martes miércoles jueves viernes sábado domingo",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        **_OF,
    ),
    "et": _words(
        "täna", "homme",
        "esmaspäev teisipäev kolmapäev neljapäev reede laupäev pühapäev",
        "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",
        **_DOTTED,
    ),
    "fi": _words(
        "tänään", "huomenna",
        "maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai",
        "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta",
        **_DOTTED, pattern="{word} {date} klo {time}", time="{time:%H.%M}",
    ),
    "fr": _words(
        "aujourd’hui", "demain",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        **_NO_COMMA, first="1er",
    ),
    "hr": _words(
        "danas", "sutra",
        "ponedjeljak utorak srijeda četvrtak petak subota nedjelja",
        "siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenoga prosinca",
        date="{day}. {month}", dated="{day}. {month} {year}.",
    ),
    "hu": _words(
        "ma", "holnap",
        "hétfő kedd szerda csütörtök péntek szombat vasárnap",
        "január február március április május június július augusztus szeptember október november december",
        date="{month} {day}.", dated="{year}. {month} {day}.", named="{date}, {word}, {time}",
    ),
    "it": _words(
        "oggi", "domani",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        **_NO_COMMA, first="1º",
    ),
    "ja": _words("本日", "明日", "月 火 水 木 金 土 日", "", **_EAST, pattern="{word}{date} {time}", named="{date}({word}) {time}"),
    "lv": _words(
        "šodien", "rīt",
        "pirmdiena otrdiena trešdiena ceturtdiena piektdiena sestdiena svētdiena",
        "janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris novembris decembris",
        date="{day}. {month}", dated="{year}. gada {day}. {month}",
    ),
    "nl": _words(
        "vandaag", "morgen",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "januari februari maart april mei juni juli augustus september oktober november december",
        **_NO_COMMA,
    ),
    "no": _words(
        "i_dag", "i_morgen",
        "mandag tirsdag onsdag torsdag fredag lørdag søndag",
        "januar februar mars april mai juni juli august september oktober november desember",
        **_DOTTED, **_NORDIC,
    ),
    "pl": _words(
        "dziś", "jutro",
        "poniedziałek wtorek środa czwartek piątek sobota niedziela",
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    ),
    "pt": _words(
        "hoje", "amanhã",
        "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        **_OF,
    ),
    "ro": _words(
        "astăzi", "mâine",
        "luni marți miercuri joi vineri sâmbătă duminică",
        "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    ),
    "ru": _words(
        "сегодня", "завтра",
        "понедельник вторник среда четверг пятница суббота воскресенье",
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        dated="{day} {month} {year} г.",
    ),
    "sk": _words(
        "dnes", "zajtra",
        "pondelok utorok streda štvrtok piatok sobota nedeľa",
        "januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",
        **_DOTTED, **_NO_COMMA,
    ),
    "sl": _words(
        "danes", "jutri",
        "ponedeljek torek sreda četrtek petek sobota nedelja",
        "januarja februarja marca aprila maja junija julija avgusta septembra oktobra novembra decembra",
        **_DOTTED,
    ),
    "sv": _words(
        "i_dag", "i_morgon",
        "måndag tisdag onsdag torsdag fredag lördag söndag",
        "januari februari mars april maj juni juli augusti september oktober november december",
        **_NORDIC,
    ),
    "tr": _words(
        "bugün", "yarın",
        "Pazartesi Salı Çarşamba Perşembe Cuma Cumartesi Pazar",
        "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
        named="{date} {word}, {time}",
    ),
    "uk": _words(
        "сьогодні", "завтра",
        "понеділок вівторок середа четвер п’ятниця субота неділя",
        "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
        dated="{day} {month} {year} р.",
    ),
    "zh": _words(
        "今天", "明天",
        "星期一 星期二 星期三 星期四 星期五 星期六 星期日",
        "",
        **_EAST, pattern="{word}({date}){time}", named="{date}({word}){time}",
    ),
}  # fmt: skip
_SAME = {"nb": "no", "nn": "no"}


def said(at: datetime, language: str | None, *, now: datetime) -> str:
    """Write an aware instant in its own zone, up to the next whole minute, as it is said now in a language.

    A language that is not known gets numbers: 2026-11-23 10:30 CET.
    """
    at = _whole_minute(at)
    zone = zone_of(at)
    words = _words_of(language)
    if words is None:
        return f"{at:%Y-%m-%d %H:%M} {zone}"
    days = (at.date() - now.astimezone(at.tzinfo).date()).days
    near = {0: words.today, 1: words.tomorrow}.get(days)
    text = (words.pattern if near or not words.named else words.named).format(
        word=near or words.weekdays[at.weekday()],
        date=_date(at, words, is_this_year=at.year == now.astimezone(at.tzinfo).year),
        time=words.time.format(time=at) + f" {zone}",
    )
    return text.replace("_", " ")


def zone_of(at: datetime) -> str:
    """Name the zone of an instant: CET, or UTC+5:45 where it has no short name."""
    name = at.tzname() or "UTC"
    if name.isalpha():
        return name
    minutes = (at.utcoffset() or timedelta()) // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")


def _date(at: datetime, words: Words, *, is_this_year: bool) -> str:
    pattern = words.date if is_this_year else words.dated
    return pattern.format(
        day=words.first if at.day == 1 and words.first else at.day,
        month=words.months[at.month - 1] if words.months else "",
        number=at.month,
        year=at.year,
    )


def _words_of(language: str | None) -> Words | None:
    main = (language or "").partition("-")[0].lower()
    return LANGUAGES.get(_SAME.get(main, main))


def _whole_minute(at: datetime) -> datetime:
    """Up, so that what is said is never over before the instant is."""
    rest = timedelta(seconds=at.second, microseconds=at.microsecond)
    return (at.astimezone(UTC) + timedelta(minutes=1) - rest).astimezone(at.tzinfo) if rest else at
