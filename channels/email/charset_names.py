"""Python's codec for a charset label as mail declares it: standard names, old names, misspelt names.

Web practice (WHATWG Encoding Standard §4.2, checked 2026-11): an older label means its superset, "iso-8859-1" is windows-1252.
"""

import codecs
import re
from functools import lru_cache

MAX_LABEL_CHARS = 64

_ALIASES = {
    "us-ascii": "ascii", "ansi-x3.4-1968": "ascii", "ansi-x3.110-1983": "ascii", "iso-646": "ascii", "usascii": "ascii", "ascii-7bit": "ascii", "us-ascii-7bit": "ascii",
    "iso-8859-1": "cp1252", "iso-ir-100": "cp1252", "ansi": "cp1252", "latin": "cp1252", "western": "cp1252", "windows": "cp1252", "x-ansi": "cp1252", "l1": "cp1252",
    "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8", "visual": "iso8859-8",
    "logical": "iso8859-8", "iso-8859-6-i": "iso8859-6", "iso-8859-6-e": "iso8859-6",
    "gb2312": "gb18030", "gbk": "gb18030", "gb-2312-80": "gb18030", "gb-2312": "gb18030", "gb2312-80": "gb18030", "euc-cn": "gb18030", "chinese": "gb18030", "csgb2312": "gb18030",
    "gb2312-charset": "gb18030", "iso-ir-58": "gb18030", "cn-gb": "gb18030", "cn-big5": "big5hkscs", "big5": "big5hkscs", "big-5": "big5hkscs", "big5-eten": "big5hkscs",
    "hz-gb-2312": "hz", "ks-c-5601-1987": "cp949", "ks-c-5601-1989": "cp949", "ks-c-5601": "cp949", "ksc5601": "cp949", "ksc-5601": "cp949", "euc-kr": "cp949", "uhc": "cp949",
    "korean": "cp949", "windows-949": "cp949", "shift-jis": "cp932", "sjis": "cp932", "windows-31j": "cp932", "ms-kanji": "cp932", "shiftjis": "cp932", "ms932": "cp932",
    "mac-japanese": "cp932", "iso-2022-jp": "iso2022_jp_ext", "iso-2022-jp-ms": "iso2022_jp_ext", "cp50220": "iso2022_jp_ext", "cp50221": "iso2022_jp_ext",
    "iso-2022-jp-1": "iso2022_jp_ext", "iso-2022-jp-2": "iso2022_jp_2", "mac-roman": "mac_roman", "macintosh": "mac_roman", "mac": "mac_roman", "apple-roman": "mac_roman", "mac-ce": "mac_latin2",
    "mac-centraleurope": "mac_latin2", "mac-centraleurroman": "mac_latin2", "dos-862": "cp862", "koi8r": "koi8-r", "koi8u": "koi8-u", "unicode-1-1-utf-7": "utf-7", "unicode-2-0-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8", "unicode-2-0-utf-8": "utf-8", "utf8mb4": "utf-8", "utf8mb3": "utf-8", "utf-8-mac": "utf-8", "unicode": "utf-8", "utf": "utf-8", "ucs-2": "utf-16",
}  # fmt: skip
# Text codecs that are no charset: slow (idna, punycode are quadratic), or they run escapes.
_NO_CHARSET = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
)
_JUNK = re.compile(r"[\s\"'()<>;,\[\]]+")
# "windows1252", "win-1250", "cp_1250", "ms-1252"; "8859-1", "iso88592", "iso8859-15", "latin-2", "utf8", "ibm-850", "koi8r"
_CODE_PAGE = re.compile(r"(?:windows|win|cp|ms|microsoft|ansi|ibm|dos|ccsid)?-?(?:cp)?-?(\d{3,4})$")
_ISO = re.compile(r"(?:iso)?-?8859-?(\d{1,2})(?!\d)(?!-[ei]$)")
_LATIN = {
    "1": "1",
    "2": "2",
    "3": "3",
    "4": "4",
    "5": "9",
    "6": "10",
    "7": "13",
    "8": "14",
    "9": "15",
    "10": "16",
}
_LATIN_NAME = re.compile(r"(?:iso-?)?latin-?(\d{1,2})$")
_UTF = re.compile(r"utf-?(7|8|16|32)-?(le|be)?(?:$|[^0-9])")


@lru_cache(maxsize=256)
def codec_of(label: str) -> str:
    """Python's name of a charset label; "" when there is none or nobody knows it."""
    for name in _readings(label[:MAX_LABEL_CHARS].lower()):
        if found := _lookup(_ALIASES.get(name, name)):
            return found
    return ""


def _readings(label: str) -> list[str]:
    """The label as it stands, then without what senders put around it, then by its numbers."""
    stripped = label.strip(" \t\r\n\"'<>;,=?").removeprefix("3d").removeprefix("charset=")
    name = _JUNK.sub(" ", stripped).strip().partition(" ")[0].replace("_", "-").strip("\"'-.?=*")
    bare = name.removeprefix("x-").removeprefix("x-").removeprefix("cs")
    readings = [name, bare, _JUNK.sub("-", stripped).replace("_", "-")]
    for reading in (bare, readings[2]):
        readings += _by_number(reading)
    return readings


def _by_number(name: str) -> list[str]:
    found: list[str] = []
    if utf := _UTF.match(name):
        found.append(f"utf-{utf[1]}{'-' + utf[2] if utf[2] else ''}")
    if iso := _ISO.match(name):
        found.append(f"iso-8859-{iso[1]}")
    if latin := _LATIN_NAME.match(name):
        found.append(f"iso-8859-{_LATIN.get(latin[1], '')}")
    if page := _CODE_PAGE.match(name):
        found.append(f"cp{page[1]}")
    return found


def _lookup(name: str) -> str:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    if not found._is_text_encoding or found.name.replace("_", "-") in _NO_CHARSET:  # noqa: SLF001 - no public way
        return ""
    return _SUPERSETS.get(found.name, found.name)


_SUPERSETS = {
    "iso8859-1": "cp1252", "latin-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874", "gb2312": "gb18030", "gbk": "gb18030",
    "euc_kr": "cp949", "shift_jis": "cp932", "iso2022_jp": "iso2022_jp_ext", "iso2022_jp_1": "iso2022_jp_ext", "big5": "big5hkscs",
}  # fmt: skip
