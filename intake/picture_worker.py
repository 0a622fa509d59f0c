"""The process that decodes pictures: python -m intake.picture_worker.

Its formats are the four that phones send and that Pillow decodes by itself; HEIC needs libheif, whose decoders had holes that
let pictures run code as late as 2026, and stays as it is. A picture of more pixels than PIXELS_MAX is refused by its header,
before a pixel is decoded. Memory is limited by the system; time by whoever asked, who kills it.
Source: pillow.readthedocs.io, reference of Image and ImageOps, 12.3, checked 2026-11.
"""

import io
import warnings
from typing import TYPE_CHECKING, Any

import msgspec

from intake import child

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
PIXELS_MAX = 64_000_000
DEEP = frozenset(("I", "F", "I;16", "I;16B", "I;16L", "I;16N"))  # Pillow would cut them off, and all is white
MEMORY_BYTES = 1024 * 1024 * 1024  # on top of what the interpreter and its libraries have mapped
SMALL_PIXELS, SMALL_QUALITY = 320, 75
# The longest edge and the quality that are tried, one after the other.
EDGES = (4_096, 3_072, 2_048, 1_600, 1_280, 1_024, 800, 640)
QUALITIES = (85, 70)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[bytes, int]).decode


class Refused(Exception):
    """A picture is not decoded, or does not fit: half a sentence."""


def main() -> None:
    # What is imported later would count against the memory of a picture.
    from PIL import Image, ImageOps, MpoImagePlugin, WebPImagePlugin  # noqa: F401

    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.preinit()
    child.limit_memory(MEMORY_BYTES)
    child.serve(lambda request: _encode(_answer(request)))


def _answer(request: bytes) -> tuple[bytes | None, str]:
    if not request:
        return None, "ready"
    try:
        content, max_bytes = _decode(request)
        return (fitted(content, max_bytes) if max_bytes else thumbnail(content)), ""
    except Refused as error:
        return None, str(error)
    except MemoryError:
        return None, "it needs too much memory"
    except Exception as error:  # noqa: BLE001 - said to whoever asked; the file itself stays as it is
        return None, f"it cannot be decoded: {type(error).__name__}"


def thumbnail(content: bytes) -> bytes:
    """Return a small JPEG, upright. Raises: Refused, and whatever Pillow does."""
    return _jpeg(_plain(_opened(content), SMALL_PIXELS), SMALL_QUALITY)


def fitted(content: bytes, max_bytes: int) -> bytes:
    """Return the largest JPEG that is small enough. Raises: Refused, and whatever Pillow does."""
    image = _opened(content)
    # An MPO is a JPEG with a second picture behind it, as phones write them; the first is what is shown.
    if image.format not in {"JPEG", "MPO"} and getattr(image, "is_animated", False):
        raise Refused("it moves, and would stand still")
    profile = image.info.get("icc_profile") if image.mode == "RGB" else None
    plain = _plain(image, EDGES[0])
    for edge in EDGES:
        plain.thumbnail((edge, edge), reducing_gap=2.0)
        for quality in QUALITIES:
            written = _jpeg(plain, quality, icc_profile=profile)
            if len(written) <= max_bytes:
                return written
    raise Refused(f"it does not become smaller than {max_bytes:,} bytes")


def _opened(content: bytes) -> "Image":
    """Return a picture of which only the header has been read. Raises: Refused."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(f"it has more than {PIXELS_MAX:,} pixels") from None
    if image.width * image.height > PIXELS_MAX:
        raise Refused(f"it has more than {PIXELS_MAX:,} pixels")
    if image.mode in DEEP:
        raise Refused("its colours are finer than those of a JPEG")
    return image


def _plain(image: "Image", edge: int) -> "Image":
    """Return the picture itself and nothing else of its file: upright, on white, no edge longer than that, in pixels."""
    from PIL import Image, ImageOps

    if image.mode in {"P", "1"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((edge, edge), reducing_gap=2.0)
    upright = ImageOps.exif_transpose(image)
    # Pixels are all that goes over into a new picture: no position, no comment, no name of a camera.
    plain = Image.new("RGB", upright.size, "white")
    if upright.has_transparency_data:
        layer = upright.convert("RGBA")
        plain.paste(layer, mask=layer.getchannel("A"))
    else:
        plain.paste(upright.convert("RGB"))
    return plain


def _jpeg(plain: "Image", quality: int, **more: Any) -> bytes:
    written = io.BytesIO()
    plain.save(written, "JPEG", quality=quality, optimize=True, **more)
    return written.getvalue()


if __name__ == "__main__":
    main()
