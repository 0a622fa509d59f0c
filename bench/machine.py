"""What the figures were measured on, and how much of it a group of processes takes."""

import contextlib
import platform
import sqlite3
import subprocess
from importlib import metadata
from pathlib import Path

import psutil

MIB = 2**20


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def description() -> dict[str, str]:
    """Name the machine and the versions, in the order they are printed."""
    return {
        "CPU": f"{cpu_model()}, {psutil.cpu_count()} cores",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "aiosmtpd": metadata.version("aiosmtpd"),
        "Postfix": _first_line("/usr/sbin/postconf", "-dh", "mail_version"),
    }


def _first_line(*command: str) -> str:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "not installed"
    return answer.stdout.split("\n")[0]


def group(pid: int) -> list[psutil.Process]:
    """Give a process and all below it."""
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def resident_mib(pid: int) -> float:
    """Sum the resident memory of a process and all below it; pages they share count for each."""
    total = 0
    for process in group(pid):
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total / MIB


def cpu_s(pid: int) -> float:
    total = 0.0
    for process in group(pid):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total
