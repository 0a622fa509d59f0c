"""Raw messages from files: which parser reads them, and with whose options."""

import importlib
import os
import re
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from channels import loading
from channels.contract import Message, RawMessage
from intake import cli, parsing, settings
from intake.settings import Settings

_MEDIUM = re.compile(r"[a-z][a-z0-9_]*")


class Source(msgspec.Struct, frozen=True):
    """Whose messages these are. account: the configured name, else the kind."""

    account: str
    kind: str
    reader: parsing.Reader

    def raw(self, body: bytes, *, received_at: datetime) -> RawMessage:
        """Wrap the bytes of a file as the account's channel does; nothing identifies them, nothing waits for them."""
        lane = f"{self.account}:file"
        return RawMessage(kind=self.kind, account=self.account, lane=lane, body=body, received_at=received_at)


async def read(source: Source, bodies: Iterable[bytes], *, received_at: datetime) -> AsyncIterator[Message]:
    """Give the normal form of each, in order, within the bounds that the daemon keeps too; never raises for bytes."""
    parser = parsing.Parsing({source.account: source.reader})
    try:
        for body in bodies:
            parsed = await parser.parse(source.raw(body, received_at=received_at))
            if isinstance(parsed.message, Message):  # of files there is nothing else
                yield parsed.message
    finally:
        await parser.close()


async def first(source: Source, body: bytes, *, received_at: datetime) -> Message:
    """Read one raw message."""
    async for message in read(source, [body], received_at=received_at):
        return message
    raise AssertionError("one message in, one message out")


def source_for(kind: str, *, config: str | None, account: str | None = None) -> Source:
    """Find the parser: of the named account, else of the first one of that kind or medium, else the medium's own.

    Raises: cli.WrongInput when there is none; ConfigError when there is a configuration and it is wrong.
    """
    found = configured(config)
    if found is not None and account_for(found, kind, account=account) is not None:
        return source_of(found, kind, account=account)
    if account is not None:
        raise cli.WrongInput(f"no account '{account}' of kind {kind} is configured")
    module = _module_of(kind)
    return Source(kind, kind, parsing.Reader(module, module.Options()))


def source_of(found: Settings, kind: str, *, account: str | None = None) -> Source:
    """Give the named account, else the first one of a kind or medium. Raises: cli.WrongInput."""
    name = account_for(found, kind, account=account)
    if name is None:
        wanted = f"account '{account}'" if account else "account"
        raise cli.WrongInput(f"no {wanted} of kind {kind} is configured in {found.path}")
    channel = found.channels[name]
    return Source(name, channel.kind, parsing.Reader(loading.module_for(channel.kind), channel.options))


def account_for(found: Settings, kind: str, *, account: str | None = None) -> str | None:
    """Give the name of the first account of a kind ("email.smtp") or a medium ("email"); None = there is none."""
    for name, channel in found.channels.items():
        medium = loading.module_for(channel.kind).MEDIUM
        if kind in (channel.kind, medium) and account in (None, name):
            return name
    return None


def configured(config: str | None) -> Settings | None:
    """Read the configuration; None when nobody named one and there is none at its usual place."""
    path = settings.path_from(config, os.environ)
    is_named = config is not None or settings.PATH_VARIABLE in os.environ
    if not is_named and not path.exists():
        return None
    return settings.load(Path(path), os.environ)


def _module_of(kind: str) -> Any:
    try:
        if _MEDIUM.fullmatch(kind):
            return importlib.import_module(f"channels.{kind}.message")
        return loading.module_for(kind)
    except (LookupError, ModuleNotFoundError):
        raise cli.WrongInput(f"there is no parser for kind '{kind}': for example email") from None
