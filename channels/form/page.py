"""The page of a form: plain HTML that works without JavaScript; all that anybody has written is escaped here.

WCAG 2.2 AA: every field has its label, faults are told at the top and at their field, nothing is told by colour alone.
Fields are named for autofill (HTML Standard §4.10.18.7).
"""

import hashlib
from html import escape

import msgspec

from channels.form import words
from channels.form.checks import FILES, MEGABYTE, Fault
from channels.form.settings import Asked, Field, Options
from channels.form.submission import TRAP, Submission

EMPTY = Submission({})
STYLE = """:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#6b7280;--accent:#0b5cad;--wrong:#a4161a}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--paper:#16181c;--line:#9aa0a8;--accent:#8ab8ff;--wrong:#ff9c94}}
*{box-sizing:border-box}
body{margin:0;font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
main{max-inline-size:38rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}
label,legend{display:block;font-weight:600;margin-block:1rem .25rem}
label small,.hint{font-weight:400}
input,textarea,select{inline-size:100%;min-block-size:2.75rem;padding:.5rem .625rem;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:.375rem}
textarea{min-block-size:10rem;resize:vertical}
.tick{display:grid;grid-template-columns:2.75rem 1fr;align-items:center;margin-block-start:1rem}
.tick input{inline-size:1.5rem;min-block-size:1.5rem;margin:.625rem}
.tick label{margin:0;font-weight:400}
[aria-invalid]{border:2px solid var(--wrong)}
.fault{color:var(--wrong);margin:.25rem 0 0}
.faults{border:2px solid var(--wrong);border-radius:.375rem;padding:.25rem 1rem;margin-block-end:1rem}
button{min-block-size:2.75rem;padding:.5rem 1.5rem;margin-block-start:1.5rem;font:inherit;font-weight:600;color:var(--paper);background:var(--accent);border:0;border-radius:.375rem;cursor:pointer}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
a{color:var(--accent)}
.faults a{color:var(--wrong)}
.beside{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%)}
"""
STYLE_NAME = f"form-{hashlib.sha256(STYLE.encode()).hexdigest()[:12]}.css"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a page is made with. path: the form's own; language: it is in; form_id: makes a message known when it comes twice.

    page: where the link to it stands, "" = the browser did not say.
    """

    path: str
    language: str
    options: Options
    form_id: str = ""
    page: str = ""

    @property
    def words(self) -> dict[str, str]:
        return words.of(self.language, self.options.words)


def form(
    look: Look, sent: Submission = EMPTY, faults: list[Fault] | None = None, *, said: tuple[str, ...] = ()
) -> str:
    """Write the form, with what was written into it. said: what was wrong with all of it."""
    told = {each.field: sentence(look, each) for each in faults or ()}
    pieces = [_summary(look, said, told), _intro(look)]
    # Another address than the page's: a post makes browsers forget what they have kept of its own (RFC 9111 §4.4), and
    # who then goes back would have a new page, and send a second message.
    pieces.append(
        f'<form method="post" action="{escape(look.path)}?send" enctype="multipart/form-data" accept-charset="utf-8" novalidate>'
    )
    # Before the files: of what is too large the beginning alone is read.
    pieces.append(_hidden("form", look.form_id) + _hidden("language", look.language))
    pieces.append(_hidden("page", look.page) if look.page else "")
    pieces += _fields(look, sent, told)
    pieces.append(f"<button>{escape(look.words['send'])}</button></form>")
    return _page(look, look.words["title"], "".join(pieces))


def thanks(look: Look) -> str:
    """Write the page that follows a message."""
    said = look.words
    back = f'<p><a href="{escape(look.path)}?lang={escape(look.language)}">{escape(said["again"])}</a></p>'
    return _page(look, said["sent_title"], f'<p role="status">{escape(said["sent"])}</p>{back}')


def sentence(look: Look, fault: Fault) -> str:
    """Say what is wrong with a field."""
    label = _label(look, fault.field).rstrip(".?: ")
    size = look.options.max_size_bytes // MEGABYTE
    return (
        look.words[fault.word]
        .replace("{field}", label)
        .replace("{count}", str(fault.count))
        .replace("{size}", str(size))
    )


def _label(look: Look, name: str) -> str:
    own = look.options.fields.get(name)
    if own is not None:
        return words.in_language(own.label, look.language)
    if name == "consent" and look.options.consent is not None:
        return words.in_language(look.options.consent.text, look.language)
    return look.words.get("trap" if name == TRAP else name, name)


def _page(look: Look, title: str, body: str) -> str:
    direction = "rtl" if look.language.partition("-")[0] in words.RIGHT_TO_LEFT else "ltr"
    return (
        f'<!doctype html><html lang="{escape(look.language)}" dir="{direction}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="{escape(look.path)}/{STYLE_NAME}"></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )


def _intro(look: Look) -> str:
    return f"<p>{_apart(look.words['intro'])}</p>" if look.words["intro"] else ""


def _summary(look: Look, said: tuple[str, ...], told: dict[str, str]) -> str:
    """Say at the top what is wrong, each with a link to its field."""
    if not said and not told:
        return ""
    items = [f"<li>{_apart(each)}</li>" for each in said]
    items += [f'<li><a href="#{name}">{_apart(sentence)}</a></li>' for name, sentence in told.items()]
    return (
        f'<div class="faults" role="alert"><p><strong>{_apart(look.words["failed"])}</strong></p>'
        f"<ul>{''.join(items)}</ul></div>"
    )


def _fields(look: Look, sent: Submission, told: dict[str, str]) -> list[str]:
    """Write every field in the order of the page."""
    ask = look.options.ask
    asked: list[tuple[str, Asked, str, str]] = [
        ("name", ask.name, "text", "name"),
        ("email", ask.email, "email", "email"),
        ("phone", ask.phone, "tel", "tel"),
        ("subject", ask.subject, "text", "off"),
    ]
    drawn = [
        _input(look, name, sent, told, kind=kind, fill=fill, is_required=wanted == "required")
        for name, wanted, kind, fill in asked
        if wanted != "no"
    ]
    drawn += [_own(look, name, field, sent, told) for name, field in look.options.fields.items()]
    drawn.append(_area(look, "message", sent, told, is_required=True))
    if ask.files != "no":
        drawn.append(_files(look, told, is_required=ask.files == "required"))
    if look.options.consent is not None:
        drawn.append(_tick(look, "consent", sent, told, value=look.options.consent.version))
    return [*drawn, _trap(look, sent, told)]


def _own(look: Look, name: str, field: Field, sent: Submission, told: dict[str, str]) -> str:
    if field.kind == "choice":
        return _choice(look, name, field, sent, told)
    if field.kind == "tick":
        return _tick(look, name, sent, told, value="yes")
    if field.kind == "text":
        return _area(look, name, sent, told, is_required=field.required)
    return _input(look, name, sent, told, kind="text", fill="off", is_required=field.required)


def _input(
    look: Look, name: str, sent: Submission, told: dict[str, str], *, kind: str, fill: str, is_required: bool
) -> str:
    value = escape(sent.text(name))
    return (
        f'{_label_of(look, name, is_required=is_required)}<input id="{name}" name="{name}" type="{kind}" value="{value}" '
        f'autocomplete="{fill}" dir="auto"{_state(name, told, is_required=is_required)}>{_fault(name, told)}'
    )


def _area(look: Look, name: str, sent: Submission, told: dict[str, str], *, is_required: bool) -> str:
    # The first line break behind the tag is nobody's (HTML Standard §13.1.2.5): theirs has to be the second.
    return (
        f'{_label_of(look, name, is_required=is_required)}<textarea id="{name}" name="{name}" dir="auto"'
        f"{_state(name, told, is_required=is_required)}>\n{escape(sent.text(name))}</textarea>{_fault(name, told)}"
    )


def _choice(look: Look, name: str, field: Field, sent: Submission, told: dict[str, str]) -> str:
    chosen = sent.text(name)
    offered = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(words.in_language(label, look.language))}</option>'
        for value, label in field.choices.items()
    )
    return (
        f'{_label_of(look, name, is_required=field.required)}<select id="{name}" name="{name}"'
        f'{_state(name, told, is_required=field.required)}><option value=""></option>{offered}</select>{_fault(name, told)}'
    )


def _tick(look: Look, name: str, sent: Submission, told: dict[str, str], *, value: str) -> str:
    checked = " checked" if sent.text(name) == value else ""
    return (
        f'<div class="tick"><input type="checkbox" id="{name}" name="{name}" value="{escape(value)}"{checked}'
        f'{_state(name, told, is_required=False)}><label for="{name}">{_apart(_label(look, name))}</label></div>{_fault(name, told)}'
    )


def _files(look: Look, told: dict[str, str], *, is_required: bool) -> str:
    size = look.options.max_size_bytes // MEGABYTE
    hint = (
        look.words["files_hint"].replace("{count}", str(look.options.max_files)).replace("{size}", str(size))
    )
    return (
        f'{_label_of(look, FILES, is_required=is_required)}<input id="{FILES}" name="{FILES}" type="file" multiple '
        f'aria-describedby="files-hint"{" required" if is_required else ""}>'
        f'<p class="hint" id="files-hint">{_apart(hint)}</p>{_fault(FILES, told)}'
    )


def _trap(look: Look, sent: Submission, told: dict[str, str]) -> str:
    """Write the field that only machines fill in; a person whose browser did sees it, and what to do."""
    shown, hidden = (
        (' class="shown"', "") if TRAP in told else (' class="beside" aria-hidden="true"', ' tabindex="-1"')
    )
    return (
        f'<div{shown}><label for="{TRAP}">{escape(look.words["trap"])}</label>'
        f'<input id="{TRAP}" name="{TRAP}" autocomplete="off" value="{escape(sent.text(TRAP))}"{hidden}>{_fault(TRAP, told)}</div>'
    )


def _label_of(look: Look, name: str, *, is_required: bool) -> str:
    beside = "" if is_required else f" <small>({escape(look.words['optional'])})</small>"
    return f'<label for="{name}">{_apart(_label(look, name))}{beside}</label>'


def _state(name: str, told: dict[str, str], *, is_required: bool) -> str:
    wrong = f' aria-invalid="true" aria-describedby="{name}-fault"' if name in told else ""
    return (" required" if is_required else "") + wrong


def _fault(name: str, told: dict[str, str]) -> str:
    return f'<p class="fault" id="{name}-fault">{_apart(told[name])}</p>' if name in told else ""


def _apart(text: str) -> str:
    """Write a sentence that goes its own way: where a page from right to left lacks a word, the English one ends at its end."""
    return f"<bdi>{escape(text)}</bdi>"


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'
