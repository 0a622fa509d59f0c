"""The lines of a mail, marked as the customer's or not, and the two texts that become of them."""

import msgspec

MAX_ATTEMPTS = 400  # attributions and blocks looked at in one mail


class Split(msgspec.Struct, frozen=True):
    """visible: never empty when there is any text; quoted: what was cut, in order, one empty line between pieces.

    forward: where in the visible text the forwarded mail begins, in lines; None = there is none.
    """

    visible: str
    quoted: str
    forward: int | None = None


class Lines(msgspec.Struct):
    """lines as written, keys without the space around them, cut: what is not the customer's, end: below is an older mail.

    has_bars: whether any sign of quotation is in the text at all.
    """

    lines: list[str]
    keys: list[str]
    cut: list[bool]
    has_bars: bool = True
    end: int = 0
    forward: int | None = None
    attempts: int = MAX_ATTEMPTS
    is_marked: bool | None = None
    first_bar: int | None = None

    def may_try(self) -> bool:
        self.attempts -= 1
        return self.attempts >= 0

    def has_quote_marks(self) -> bool:
        """Whether any line is quoted once: ">>> " alone is what a programming language prompts with."""
        if self.is_marked is None:
            self.is_marked = any(key[:1] == ">" and key[:2] != ">>" for key in self.keys)
        return self.is_marked

    def is_below_bar(self, number: int) -> bool:
        """Whether any line above this one is quoted."""
        if self.first_bar is None:
            self.first_bar = next((at for at, key in enumerate(self.keys) if key[:1] == ">"), len(self.keys))
        return self.first_bar < number

    def has_visible(self) -> bool:
        return any(key and not is_cut for key, is_cut in zip(self.keys, self.cut, strict=True))


def parted(mail: Lines) -> Split:
    """Both texts, each with its lines in order."""
    if not any(mail.cut) and mail.forward is None:
        return Split("\n".join(mail.lines).strip("\n").rstrip(), "")
    visible, quoted = _joined(mail, wanted=False), _joined(mail, wanted=True)
    forward = None
    if mail.forward is not None:
        visible, forward = _with_forward(mail)
    return Split(visible, quoted, forward)


def _with_forward(mail: Lines) -> tuple[str, int]:
    """What was written above the forwarded mail, and that mail as it is."""
    at = mail.forward or 0
    if not any(mail.cut[:at]):
        begin = next((number for number, key in enumerate(mail.keys) if key), 0)
        return "\n".join(mail.lines[begin:]).rstrip(), max(0, at - begin)
    head = Lines(lines=mail.lines[:at], keys=mail.keys[:at], cut=mail.cut[:at])
    above = _joined(head, wanted=False)
    below = "\n".join(mail.lines[at:]).strip("\n").rstrip()
    return (f"{above}\n\n{below}", above.count("\n") + 2) if above else (below, 0)


def _joined(mail: Lines, *, wanted: bool) -> str:
    """The lines whose mark is `wanted`: the empty ones above a gap stay, those below it go."""
    kept: list[str] = []
    has_gap = False
    for line, key, is_cut in zip(mail.lines, mail.keys, mail.cut, strict=True):
        if is_cut is not wanted:
            has_gap = True
            continue
        if has_gap and not key:
            continue
        if has_gap and wanted and kept and kept[-1].strip():
            kept.append("")
        has_gap = False
        kept.append(line)
    return "\n".join(kept).strip("\n").rstrip()
