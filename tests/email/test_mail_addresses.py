"""Address fields as senders really write them; what is ambiguous stays several or none."""

from channels.email import addresses
from tests.rows import every_row


def read(value: str) -> list[tuple[str, str]]:
    return [(found.address, found.name) for found in addresses.parse([value])]


@every_row(
    ("value", "address", "name"),
    [
        ("Ada Lovelace a@b.example", "a@b.example", "Ada Lovelace"),
        ('"Ada" a@b.example', "a@b.example", "Ada"),
        ("Ada [a@b.example]", "a@b.example", "Ada"),
        ("[SMTP:a@b.example]", "a@b.example", ""),
        ("Ada <SMTP:a@b.example>", "a@b.example", "Ada"),
        ("Ada <mailto:a@b.example>", "a@b.example", "Ada"),
        ("<<a@b.example>>", "a@b.example", ""),
        ("Ada <'a@b.example'>", "a@b.example", "Ada"),
        ("a @ b.example", "a@b.example", ""),
        ("a@[192.0.2.1]", "a@[192.0.2.1]", ""),
        ('"a b"@b.example', '"a b"@b.example', ""),
        ('Ada \\"the first\\" L <a@b.example>', "a@b.example", 'Ada "the first" L'),
        ("Ada (comment (nested)) <a@b.example>", "a@b.example", "Ada"),
        ("a@b.example (Ada (L))", "a@b.example", "Ada (L)"),
        ('"=?utf-8?q?Ada=2C_=C5=82?=" <a@b.example>', "a@b.example", "Ada, ł"),
        ("żółw <żółw@exämple.pl>", "żółw@exämple.pl", "żółw"),
        ("MAILER-DAEMON", "MAILER-DAEMON", ""),
    ],
)
def test_one_mailbox_is_read(value: str, address: str, name: str) -> None:
    assert read(value) == [(address, name)]


@every_row(
    "value",
    [
        "=?utf-8?Q?a=40b.example?=",
        "=?utf-8?Q?Ada_<a=40b.example>?=",
        "Ada at b dot example",
        "undisclosed-recipients:;",
        "<>",
    ],
)
def test_no_address_is_made_up(value: str) -> None:
    assert read(value) == []


@every_row(
    "value",
    [
        "Ada <a@b.example> <x@y.example>",
        "a@b.example x@y.example",
        "a@b.example\tx@y.example",
        "a@b.example; x@y.example",
    ],
)
def test_two_addresses_are_two_without_a_comma_as_well(value: str) -> None:
    assert [address for address, _ in read(value)] == ["a@b.example", "x@y.example"]
