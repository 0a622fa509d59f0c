"""What intake.yaml says is what the daemon runs with."""

from pathlib import Path
from typing import Any

from intake import settings

CHANNELS = "channels: {mail: {kind: email.smtp, addresses: [a@example.com]}}\n"
SECTIONS: dict[
    str, tuple[str, Any]
] = {  # section -> (one line of YAML, how its value differs from the default)
    "name": ("Example", None),
    "store": ("postgresql://user@host/intake", None),
    "folder": ("data", None),
    "rules": ("other.yaml", None),
    "replies": ("texts", None),
    "canned": ("said", None),
    "outgoing": ("{folder: out}", None),
    "http": ("{public_url: 'https://help.example.com'}", ("public_url", "https://help.example.com")),
    "limits": ("{notices_per_minute: 3}", ("notices_per_minute", 3)),
    "notices": ("{taken: false}", ("taken", False)),
    "answers": ("{quote: false}", ("quote", False)),
    "oncall": ("{ring_s: 40}", ("ring_s", 40)),
    "calls": ("{together_minutes: 3}", ("together_minutes", 3)),
    "consent": ("{stop_means: all}", ("stop_means", "all")),
    "phone": ("{budget_per_number: 7}", ("budget_per_number", 7)),
    "files": ("{clamd_timeout_s: 9}", ("clamd_timeout_s", 9)),
    "access": ("{second_factor: everybody}", ("second_factor", "everybody")),
    "desk": ("{agents_see: all}", ("agents_see", "all")),
    "heartbeat": ("{url: 'https://beat.example.com/'}", ("url", "https://beat.example.com/")),
    "silence_alarm": ("{open_hours: 4}", ("open_hours", 4)),
    "log": ("{level: debug}", ("level", "debug")),
}


def test_no_section_of_the_file_is_read_and_forgotten(tmp_path: Path) -> None:
    """Every section, with one value that is not the default."""
    assert SECTIONS.keys() == set(settings.File.__struct_fields__) - {"channels"}
    path = tmp_path / "intake.yaml"
    path.write_text(CHANNELS + "\n".join(f"{name}: {line}" for name, (line, _) in SECTIONS.items()))
    found = settings.load(path, {})
    wanted = {name: each for name, (_, each) in SECTIONS.items() if each is not None}
    assert {name: (key, getattr(getattr(found, name), key)) for name, (key, _) in wanted.items()} == wanted
    assert (found.name, found.store, found.folder) == (
        "Example",
        "postgresql://user@host/intake",
        Path("data"),
    )
    assert (found.rules, found.replies) == (tmp_path / "other.yaml", tmp_path / "texts")
    assert found.canned == tmp_path / "said"
    assert found.outgoing.folder == "out"
