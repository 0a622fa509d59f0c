"""SPF (RFC 7208) against a real name server: mechanisms, macros, limits, and what the DNS does not say."""

import time
from collections.abc import Iterator

import pytest

from channels.email import spf
from channels.email.resolver import DnsResolver
from tests.email.name_server import BROKEN, SILENT, NameServer, Zone, serving, text

CLIENT, CLIENT_V6 = "192.0.2.7", "2001:db8::7"


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with serving({}) as running:
        yield running


def check(
    server: NameServer,
    zone: Zone,
    *,
    client: str = CLIENT,
    sender: str = "jan@a.example",
    timeout_s: float = 5,
) -> str:
    """The result in a zone of its own: names are never asked twice, whatever is cached."""
    server.zone = {(name.lower(), kind): values for (name, kind), values in zone.items()}
    asking = DnsResolver((server.address,), timeout_s=timeout_s)
    asking._asking.cache.flush()
    return spf.check(client, sender=sender, helo="mail.a.example", resolver=asking)[0]


def record(value: str, **more: str) -> Zone:
    """a.example's record, and others' by their first label."""
    zone: Zone = {("a.example", "TXT"): [text(value)]}
    return zone | {(f"{name}.example", "TXT"): [text(each)] for name, each in more.items()}


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("v=spf1 ip4:192.0.2.7 -all", "pass"),
        ("v=spf1 ip4:192.0.2.0/24 -all", "pass"),
        ("v=spf1 ip4:198.51.100.0/24 -all", "fail"),
        ("v=spf1 ip4:198.51.100.0/24 ~all", "softfail"),
        ("v=spf1 ip4:198.51.100.0/24 ?all", "neutral"),
        ("v=spf1 ip4:198.51.100.0/24", "neutral"),
        ("v=spf1", "neutral"),
        ("V=SPF1 IP4:192.0.2.7 -ALL", "pass"),
        ("v=spf1 -ip4:192.0.2.7 +all", "fail"),
        ("v=spf1 ip6:2001:db8::/32 -all", "fail"),
        ("v=spf1 all -all", "pass"),
        ("v=spf1 exp=why.a.example -all", "fail"),
        ("v=spf1 unknown=x ip4:192.0.2.7 -all", "pass"),
        ("v=spf10 ip4:192.0.2.7 -all", "none"),
        ("something else", "none"),
        ("v=spf1 ip4:192.0.2.7/33", "permerror"),
        ("v=spf1 ip4:nonsense", "permerror"),
        ("v=spf1 ip4", "permerror"),
        ("v=spf1 foo:bar -all", "permerror"),
        ("v=spf1 all:x", "permerror"),
        ("v=spf1 ip4:192.0.2.7 foo", "permerror"),
        ("v=spf1 include: -all", "permerror"),
        ("v=spf1 redirect=b.example redirect=c.example", "permerror"),
        ("v=spf1 a:%{q}.example", "permerror"),
        ("v=spf1 a:%x.example", "permerror"),
    ],
)
def test_record_says_who_may_send(server: NameServer, value: str, result: str) -> None:
    assert check(server, record(value)) == result


@pytest.mark.parametrize(
    ("zone", "result"),
    [
        (record("v=spf1 a -all") | {("a.example", "A"): [CLIENT]}, "pass"),
        (record("v=spf1 a:b.example/24 -all") | {("b.example", "A"): ["192.0.2.200"]}, "pass"),
        (record("v=spf1 mx -all") | {("a.example", "MX"): ["10 m.example."], ("m.example", "A"): [CLIENT]}, "pass"),
        (record("v=spf1 mx/24//64 -all") | {("a.example", "MX"): ["5 m.example."], ("m.example", "A"): ["192.0.2.1"]}, "pass"),
        (record("v=spf1 include:b.example -all", b="v=spf1 ip4:192.0.2.7 -all"), "pass"),
        (record("v=spf1 include:b.example ~all", b="v=spf1 -all"), "softfail"),
        (record("v=spf1 include:b.example -all"), "permerror"),
        (record("v=spf1 redirect=b.example", b="v=spf1 -all"), "fail"),
        (record("v=spf1 redirect=b.example"), "permerror"),
        (record("v=spf1 redirect=b.example ip4:192.0.2.7"), "pass"),
        (record("v=spf1 exists:%{ir}.%{v}._spf.%{d} -all") | {("7.2.0.192.in-addr._spf.a.example", "A"): ["127.0.0.2"]}, "pass"),
        (record("v=spf1 exists:%{l}.%{o2}.x.example -all") | {("jan.a.example.x.example", "A"): ["127.0.0.2"]}, "pass"),
        (record("v=spf1 exists:%{d1r}.%{h}%%.x.example -all"), "fail"),
        (record("v=spf1 ptr -all") | {("7.2.0.192.in-addr.arpa", "PTR"): ["h.a.example."], ("h.a.example", "A"): [CLIENT]}, "pass"),
        (record("v=spf1 ptr -all") | {("7.2.0.192.in-addr.arpa", "PTR"): ["h.a.example."], ("h.a.example", "A"): ["192.0.2.9"]}, "fail"),
        ({("a.example", "TXT"): [text("v=spf1 -all"), text("v=spf1 +all")]}, "permerror"),
        ({("a.example", "TXT"): [text("hello"), text("v=spf1 ip4:192.0.2.7 -all")]}, "pass"),
        ({}, "none"),
        ({("a.example", "TXT"): [BROKEN]}, "temperror"),
        (record("v=spf1 include:b.example -all") | {("b.example", "TXT"): [BROKEN]}, "temperror"),
    ],
)  # fmt: skip
def test_names_are_looked_up(server: NameServer, zone: Zone, result: str) -> None:
    assert check(server, zone) == result


def test_client_of_ip_version_6_is_looked_for_there(server: NameServer) -> None:
    zone = record("v=spf1 ip4:192.0.2.7 a -all") | {("a.example", "AAAA"): [CLIENT_V6]}
    assert check(server, zone, client=CLIENT_V6) == "pass"
    assert check(server, record("v=spf1 ip6:2001:db8::/32 -all"), client=CLIENT_V6) == "pass"
    assert check(server, record("v=spf1 ip4:192.0.2.7 -all"), client=f"::ffff:{CLIENT}") == "pass"


def test_null_return_path_is_asked_about_by_the_greeting(server: NameServer) -> None:
    zone: Zone = {("mail.a.example", "TXT"): [text("v=spf1 ip4:192.0.2.7 -all")]}
    assert check(server, zone, sender="") == "pass"


def test_eleventh_lookup_is_one_too_many(server: NameServer) -> None:
    """Loops, and records that would make us ask somebody else again and again."""
    many = " ".join(f"a:h{number}.example" for number in range(11))
    hosts: Zone = {(f"h{number}.example", "A"): ["198.51.100.1"] for number in range(11)}
    assert check(server, record(f"v=spf1 {many} -all") | hosts) == "permerror"
    assert check(server, record("v=spf1 include:a.example -all")) == "permerror"
    assert len(server.asked) < 200


def test_third_empty_answer_is_one_too_many(server: NameServer) -> None:
    assert (
        check(server, record("v=spf1 a:x1.example a:x2.example a:x3.example ip4:192.0.2.7 -all"))
        == "permerror"
    )
    assert check(server, record("v=spf1 a:x1.example a:x2.example ip4:192.0.2.7 -all")) == "pass"


def test_time_is_bounded(server: NameServer) -> None:
    """A name server that says nothing proves nothing."""
    assert check(server, {("a.example", "TXT"): [SILENT]}, timeout_s=0.1) == "temperror"


def test_long_record_comes_over_tcp(server: NameServer) -> None:
    filler = " ".join(f"ip4:198.51.{number // 250}.{number % 250}" for number in range(120))
    assert check(server, record(f"v=spf1 {filler} ip4:192.0.2.7 -all")) == "pass"


def test_a_name_that_macros_make_too_long_loses_labels_from_the_left(server: NameServer) -> None:
    """§7.3; however long it is: a record may say %{i} two thousand times."""
    sender = f"{'.'.join('x' * 150)}@a.example"
    begin = time.process_time()
    assert check(server, record(f"v=spf1 exists:{'%{l}.' * 1_500}b.example -all"), sender=sender) == "fail"
    assert time.process_time() - begin < 0.3
    asked = {name.rstrip(".") for name, _ in server.asked if name.startswith("x.") and "b.example" in name}
    assert {len(name) for name in asked} == {253}
