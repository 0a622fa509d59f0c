"""DMARC (RFC 9989): whose policy counts, which names are one organisation, and what an unanswered question means."""

from collections.abc import Sequence

from channels.email import dmarc
from channels.email.resolver import NoAnswer
from tests.rows import every_row

POLICY = "v=DMARC1; p=reject"


class Names:
    """A DNS of _dmarc records only. None = no answer."""

    def __init__(self, records: dict[str, str | None]) -> None:
        self.records = records
        self.asked: list[str] = []

    def txt(self, name: str) -> tuple[bytes, ...]:
        self.asked.append(name)
        domain = name.removeprefix("_dmarc.")
        if domain not in self.records:
            return ()
        found = self.records[domain]
        if found is None:
            raise NoAnswer(domain)
        return tuple(each.encode() for each in found.split("|"))

    def addresses(self, name: str, *, is_v6: bool) -> tuple[str, ...]:
        raise NotImplementedError

    def mail_servers(self, name: str) -> tuple[str, ...]:
        raise NotImplementedError

    def names_of(self, address: str) -> tuple[str, ...]:
        raise NotImplementedError


def evaluate(
    domain: str,
    records: dict[str, str | None],
    *,
    dkim: Sequence[str] = (),
    path: str | None = None,
    is_undecided: bool = False,
) -> str:
    return dmarc.evaluate(
        domain, spf_domain=path, dkim_domains=dkim, is_undecided=is_undecided, resolver=Names(records)
    )


@every_row(
    ("domain", "records", "dkim", "path", "result"),
    [
        ("a.example", {"a.example": POLICY}, ["a.example"], None, "pass"),
        ("a.example", {"a.example": POLICY}, [], "a.example", "pass"),
        ("a.example", {"a.example": POLICY}, [], None, "fail"),
        ("a.example", {"a.example": POLICY}, ["evil.example"], "evil.example", "fail"),
        ("a.example", {}, ["a.example"], None, "none"),
        ("a.example", {"a.example": "v=DMARC1; p=none"}, [], None, "fail"),
        # one organisation: relaxed by default, strict when it says so
        ("news.a.example", {"a.example": POLICY}, ["a.example"], None, "pass"),
        ("a.example", {"a.example": POLICY}, ["mail.a.example"], None, "pass"),
        ("x.a.example", {"a.example": POLICY}, ["y.a.example"], None, "pass"),
        ("a.example", {"a.example": POLICY + "; adkim=s"}, ["mail.a.example"], None, "fail"),
        ("a.example", {"a.example": POLICY + "; adkim=s"}, ["a.example"], None, "pass"),
        ("a.example", {"a.example": POLICY + "; aspf=s"}, ["mail.a.example"], None, "pass"),
        ("a.example", {"a.example": POLICY + "; aspf=s"}, [], "mail.a.example", "fail"),
        # two that share a registry are two
        ("a.co.example", {"a.co.example": POLICY}, ["b.co.example"], None, "fail"),
        ("a.co.example", {"co.example": "v=DMARC1; p=none; psd=y"}, ["b.co.example"], None, "fail"),
        ("a.co.example", {"co.example": "v=DMARC1; p=none; psd=y"}, ["x.a.co.example"], None, "pass"),
        ("x.a.co.example", {"co.example": "v=DMARC1; p=none; psd=y"}, ["a.co.example"], None, "pass"),
        ("a.example", {"example": POLICY, "a.example": POLICY}, ["b.example"], None, "fail"),
        # psd=n: a part that is an organisation of its own
        ("x.a.example", {"x.a.example": "v=DMARC1; p=reject; psd=n", "a.example": POLICY}, ["a.example"], None, "fail"),
        ("y.x.a.example", {"x.a.example": "v=DMARC1; p=reject; psd=n", "a.example": POLICY}, ["x.a.example"], None, "pass"),
        # what is no record
        ("a.example", {"a.example": "p=reject; v=DMARC1"}, [], None, "none"),
        ("a.example", {"a.example": "v=DMARC2; p=reject"}, [], None, "none"),
        ("a.example", {"a.example": f"{POLICY}|{POLICY}"}, [], None, "none"),
        ("a.example", {"a.example": f"hello|{POLICY}"}, [], None, "fail"),
        ("a.example", {"a.example": "v = DMARC1 ; p = reject"}, [], None, "fail"),
        # questions without an answer
        ("a.example", {"a.example": None}, ["a.example"], None, "temperror"),
        ("a.example", {"a.example": POLICY, "example": None}, ["x.a.example"], None, "temperror"),
    ],
)  # fmt: skip
def test_verdict(
    domain: str, records: dict[str, str | None], dkim: list[str], path: str | None, result: str
) -> None:
    assert evaluate(domain, records, dkim=dkim, path=path) == result


def test_what_could_not_be_looked_at_has_not_failed() -> None:
    """A key or a record that nobody could be asked about may have been the proof."""
    assert evaluate("a.example", {"a.example": POLICY}, is_undecided=True) == "temperror"
    assert evaluate("a.example", {"a.example": POLICY}, dkim=["a.example"], is_undecided=True) == "pass"


def test_walk_asks_eight_times_at_most() -> None:
    """However many labels somebody writes."""
    names = Names({})
    dmarc.evaluate(
        ".".join("abcdefghijklmnopqrstuvwxyz") + ".example",
        spf_domain=None,
        dkim_domains=(),
        is_undecided=False,
        resolver=names,
    )
    assert len(names.asked) == dmarc.WALK_MAX
