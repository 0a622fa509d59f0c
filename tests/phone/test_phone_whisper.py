"""A recording is written down by faster-whisper on this machine: what is asked of it, and what is said when it is not there.

The package is played by a module of its name: it needs a model of hundreds of megabytes.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from intake import transcribing, whisper

ENGINE = """
from types import SimpleNamespace as Is

class WhisperModel:
    def __init__(self, folder, *, device, compute_type, local_files_only):
        assert (device, compute_type, local_files_only) == ("cpu", "int8", True), "it may fetch something"

    def transcribe(self, file, *, language, beam_size, vad_filter):
        if not open(file, "rb").read().startswith(b"ID3"):
            raise RuntimeError("Invalid data found")
        pieces = (Is(text=" Dzień dobry.", start=0.0, end=3.0, avg_logprob=-0.1), Is(text=" Faktura.", start=3.0, end=4.0, avg_logprob=-0.5))
        return iter(pieces), Is(language=language or "pl", language_probability=0.98)
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the package; it stands for the model as well."""
    (tmp_path / "faster_whisper.py").write_text(ENGINE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    return tmp_path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "intake.whisper", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


async def test_a_voicemail_is_written_down_with_its_language_and_how_sure_that_is(engine: Path) -> None:
    """By the same way as any program of the admin's."""
    command = (sys.executable, "-m", "intake.whisper", "{file}", "--model", str(engine))
    said = await transcribing.transcribed(command, b"ID3 sound", limit_s=30)
    sure = round(math.exp((3 * -0.1 + 1 * -0.5) / 4), 3)
    assert said == transcribing.Said("Dzień dobry. Faktura.", "pl", sure)


@pytest.mark.slow
def test_what_is_missing_or_broken_is_said_in_one_sentence(engine: Path, tmp_path: Path) -> None:
    sound, noise = tmp_path / "sound.mp3", tmp_path / "noise.mp3"
    sound.write_bytes(b"ID3")
    noise.write_bytes(b"\0")
    here = str(engine)
    told = {
        "no model": run(str(sound), "--model", f"{here}/none"),
        "no recording": run(f"{here}/none.mp3", "--model", here),
        "no sound": run(str(noise), "--model", here),
    }
    (engine / "faster_whisper.py").write_text("raise ImportError")
    told["no package"] = run(str(sound), "--model", here)
    assert {name: (each.returncode, each.stderr) for name, each in told.items()} == {
        "no model": (2, f"there is no model {here}/none\n"),
        "no recording": (2, f"there is no recording {here}/none.mp3\n"),
        "no sound": (1, f"{noise} cannot be written down: Invalid data found\n"),
        "no package": (1, "faster-whisper is not installed: pip install 'intaked[whisper]'\n"),
    }


def test_a_language_may_be_given_and_silence_is_no_text(engine: Path, tmp_path: Path) -> None:
    sound = tmp_path / "sound.mp3"
    sound.write_bytes(b"ID3")
    assert json.loads(run(str(sound), "--model", str(engine), "--language", "cs").stdout)["language"] == "cs"
    assert whisper.confidence([]) is None
    assert whisper.confidence([SimpleNamespace(start=1.0, end=1.0, avg_logprob=-0.1)]) is None
