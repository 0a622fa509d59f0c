"""What docs/forms-and-webhooks.md shows is what works: its settings, its rules, and its signature made in a shell."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from channels import form, webhook
from channels.webhook import signature
from intake import settings
from routing import rulebook
from tests.web.forms import SECRET

GUIDE = (Path(__file__).parents[2] / "docs/forms-and-webhooks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE, re.DOTALL)


def test_every_account_that_is_shown_is_one(tmp_path: Path) -> None:
    shown = [block for kind, block in BLOCKS if kind == "yaml" and "channels:" in block]
    assert len(shown) == 3
    for block in shown:
        (tmp_path / "intake.yaml").write_text(block)
        for account in settings.load(tmp_path / "intake.yaml", {"SHOP_SECRET": SECRET}).channels.values():
            module = {"form": form, "webhook": webhook}[account.kind]
            assert module.Channel("x", account.options).check() == []


def test_the_rule_that_is_shown_is_one() -> None:
    [rule] = [block for kind, block in BLOCKS if kind == "yaml" and "route:" in block]
    people = "agents: {ania: {}}\nteams: {billing: {levels: {l1: [ania]}}}\n"
    rulebook.load({"rules.yaml": f"version: 1\n{people}default: {{team: billing}}\n{rule}"})


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the shell signs with openssl")
def test_a_shell_signs_as_it_is_shown() -> None:
    [script] = [block for kind, block in BLOCKS if kind == "sh"]
    lines = [line for line in script.splitlines() if not line.startswith("curl")]
    asked = "\n".join([f"SHOP_SECRET={SECRET}", *lines, 'printf "t=%s,v1=%s\\n%s" "$t" "$mac" "$body"'])
    done = subprocess.run(["sh", "-c", asked], capture_output=True, text=True, check=True)
    header, body = done.stdout.split("\n", 1)
    signed = signature.read("intake", {"Intake-Signature": header})
    assert signed is not None
    assert signature.is_valid(signed, body.encode(), secrets=[SECRET])
