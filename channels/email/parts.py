"""One part of a mail, made of its header fields and its decoded bytes."""

from collections.abc import Iterator

import msgspec

from channels.contract import Costly
from channels.email import containers, encoded_words, file_names, parameters

MAX_FAST_TNEF_BYTES = 256 * 1024
MAX_FAST_BLOCKS_BYTES = 256 * 1024
MESSAGE_TYPES = frozenset({"message/rfc822", "message/global", "message/news"})
SEALED_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
# The fields that a part is made of.
FIELDS = (
    "content-type", "content-transfer-encoding", "content-disposition", "content-id", "content-location", "content-description",
)  # fmt: skip


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One node. path: "2.1" = the second part's first child, "" = the mail itself.

    content_type: lower case; charset, filename, format, delsp (RFC 3676), smime_type (RFC 8551), start (of a multipart/related,
    RFC 2387): as declared, "" = not; disposition: "attachment", "inline", "" …;
    content: decoded bytes of a leaf; of an embedded message its whole bytes, its own tree being the one child. A leaf that
    holds files without being MIME (TNEF, a text with uuencoded blocks) has them as children, a TNEF body without a name first.
    """

    path: str
    content_type: str
    charset: str = ""
    filename: str = ""
    disposition: str = ""
    content_id: str = ""
    report_type: str = ""
    smime_type: str = ""
    start: str = ""
    format: str = ""
    delsp: str = ""
    content: bytes = b""
    children: tuple["Part", ...] = ()

    def is_multipart(self) -> bool:
        return self.content_type.startswith("multipart/")

    def is_message(self) -> bool:
        return self.content_type in MESSAGE_TYPES

    def leaves(self) -> Iterator["Part"]:
        """Every leaf in order; an embedded message is a leaf."""
        if self.is_multipart():
            for child in self.children:
                yield from child.leaves()
        else:
            yield self


def from_fields(
    path: str,
    content_type: str,
    *,
    fields: dict[str, str],
    content: bytes,
    children: tuple[Part, ...],
    costly: bool,
) -> Part:
    """A part from its unfolded header fields. Raises: Costly (costly=False) for a large container of files."""
    declared = parameters.parse(fields.get("content-type", ""))
    disposition = fields.get("content-disposition", "")
    placed = parameters.parse(disposition)
    filename = (
        placed.get("filename") or placed.get("name") or declared.get("name") or declared.get("filename", "")
    )
    if not filename:
        filename = _implied_name(content_type, fields)
    if not children and content:
        content, children = _opened(content, content_type, filename=filename, path=path, costly=costly)
    return Part(
        path=path,
        content_type=content_type,
        charset=declared.get("charset", ""),
        filename=filename,
        disposition=disposition.partition(";")[0].strip().lower(),
        content_id=fields.get("content-id", "").strip().strip("<>"),
        report_type=declared.get("report-type", "").lower(),
        smime_type=declared.get("smime-type", "").lower(),
        start=declared.get("start", "").strip("<>"),
        format=declared.get("format", "").lower(),
        delsp=declared.get("delsp", "").lower(),
        content=content,
        children=children,
    )


def _implied_name(content_type: str, fields: dict[str, str]) -> str:
    """A file's name where neither field has the parameter for it; never that of a text or a mail."""
    if content_type.startswith(("text/", "multipart/", "message/")):
        return ""
    location, description = fields.get("content-location", ""), fields.get("content-description", "")
    return (file_names.from_location(location) if location else "") or (
        file_names.from_description(encoded_words.decode(description)) if description else ""
    )


def _opened(
    content: bytes, content_type: str, *, filename: str, path: str, costly: bool
) -> tuple[bytes, tuple[Part, ...]]:
    """The content and the files that stand in it."""
    is_tnef = content_type in containers.TNEF_TYPES or filename.lower() == "winmail.dat"
    if content_type == "text/plain" and not filename and containers.holds_blocks(content):
        if not costly and len(content) > MAX_FAST_BLOCKS_BYTES:
            raise Costly("files stand in a large text")
        content, items = containers.without_blocks(content)
    elif is_tnef:
        if not costly and len(content) > MAX_FAST_TNEF_BYTES:
            raise Costly("winmail.dat is large")
        items = containers.unwrapped(content)
    else:
        return content, ()
    return content, tuple(
        Part(
            path=f"{path}.{number}" if path else str(number),
            content_type=item.content_type,
            charset=item.charset,
            filename=item.name,
            content_id=item.content_id,
            content=item.content,
        )
        for number, item in enumerate(items, 1)
    )
