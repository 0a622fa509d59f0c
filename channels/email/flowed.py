"""Joins the lines that format=flowed broke for display (RFC 3676): a line that ends with a space goes on below."""


def unflowed(text: str, *, drops_space: bool) -> str:
    """The paragraphs as they were typed. drops_space: DelSp=yes, the space at a soft break was put in by the sender.

    Lines of other quote depths never join; "-- " is a signature's mark and no soft break (§4.3).
    """
    # Pieces, joined once: adding to a paragraph of a megabyte line by line would copy it as often.
    pieces: list[str] = []
    is_open = False
    open_depth = 0
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")  # space-stuffed (§4.4)
        is_mark = content == "-- "
        if not (is_open and depth == open_depth and not is_mark):
            pieces.append(f"\n{'>' * depth} " if depth else "\n")
        is_open = content.endswith(" ") and not is_mark
        open_depth = depth
        pieces.append(content[:-1] if is_open and drops_space else content)
    return "".join(pieces)[1:]
