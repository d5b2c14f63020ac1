"""Images as files, bytes and arrays: what a header tells, and decoding to uint8 [C, H, W].

Formats are told by content. The first frame of an animation counts; grey, palette, 16-bit, CMYK and transparent images
are read, transparency on white; an EXIF rotation is applied.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from handful.data.items import Content, Undecodable

# Named one by one: Pillow's other readers run outside programs (EPS) or go by too little (PCX, TGA).
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM", "AVIF", "JPEG2000")
_READ = "jpg jpeg jpe jfif png gif bmp dib tif tiff webp ppm pgm pbm pnm avif jp2"
_REFUSED = (
    "heic heif jxl psd svg eps ico raw dng cr2 cr3 nef arw orf raf rw2"  # images, so they are named, not passed over
)
EXTENSIONS = frozenset(f".{name}" for name in f"{_READ} {_REFUSED}".split())
FITS = ("crop", "squash")
MAX_PIXELS = 100_000_000
"""Larger images are refused: a file of a few kilobytes can announce any size and fill the memory."""
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_GREY_MODES = frozenset(("1", "L", "LA", "La", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"))


def is_image_file(path: Path) -> bool:
    """Tell whether a file is meant to be an image, by its extension or by its first bytes."""
    if path.suffix.lower() in EXTENSIONS:
        return True
    try:
        with path.open("rb") as file:
            return looks_like_image(file.read(18))
    except OSError:
        return False


def looks_like_image(head: bytes) -> bool:
    """Tell whether the first 18 bytes of a file are those of an image."""
    if head[:2] == b"BM":  # two letters alone also begin words
        return int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    webp, avif = head[:4] == b"RIFF" and head[8:12] == b"WEBP", head[4:12] == b"ftypavif"
    return head.startswith(_SIGNATURES) or webp or avif or head[4:8] == b"jP  "


def probe_image(content: Content) -> tuple[int, int, int]:
    """Return height, width and whether grey (1 or 0) from the header of an encoded image or from uint8 [C, H, W]."""
    if isinstance(content, np.ndarray):
        return content.shape[1], content.shape[2], int(content.shape[0] == 1)
    with _opened(content) as image:
        return image.height, image.width, int(_is_grey(image))


def decode_image(content: Content, *, size: int, channels: int, fit: str) -> np.ndarray:
    """Return an image as uint8 [channels, size, size].

    content: an encoded image, or uint8 [C, H, W].
    fit: how a picture that is not square becomes square: "crop" keeps its centre, "squash" scales both sides.
    Raises Undecodable with the reason.
    """
    if isinstance(content, np.ndarray):
        return _to_array(_resize(_from_array(content), size, fit), channels)
    with _opened(content) as image:
        try:
            return _to_array(_resize(_flatten(image, size), size, fit), channels)
        except Undecodable:
            raise
        except Exception as error:  # damaged files raise nearly every type of exception in one decoder or other
            raise Undecodable(_reason(error)) from None


def flat_pixels(image: Image.Image) -> np.ndarray:
    """Return a Pillow image as uint8 [C, H, W] at its own size: grey has one channel, all else three."""
    if image.width * image.height > MAX_PIXELS:
        raise Undecodable(f"has {image.width} x {image.height} pixels, more than {MAX_PIXELS:,}")
    try:
        flat = _flatten(image, max(image.size))
    except Exception as error:
        raise Undecodable(_reason(error)) from None
    return _to_array(flat, 1 if flat.mode == "L" else 3)


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings about odd files from the screen: what cannot be read is refused by name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\b")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _opened(content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise Undecodable("is not an image of a kind that is read, or its header is damaged") from None
    except Image.DecompressionBombError:
        raise Undecodable(f"announces more than {MAX_PIXELS:,} pixels: a file made to fill the memory") from None
    except Exception as error:
        raise Undecodable(_reason(error)) from None
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise Undecodable(f"announces {image.width} x {image.height} pixels, more than {MAX_PIXELS:,}")
    return image


def _is_grey(image: Image.Image) -> bool:
    if image.mode in ("P", "PA") and image.palette is not None:
        mode, colours = image.palette.mode, image.palette.palette
        step = len(mode)
        if step >= 3 and len(colours) >= 3:
            table = np.frombuffer(bytes(colours[: len(colours) // step * step]), np.uint8).reshape(-1, step)
            return bool((table[:, 0] == table[:, 1]).all() and (table[:, 1] == table[:, 2]).all())
    return image.mode in _GREY_MODES


def _flatten(image: Image.Image, size: int) -> Image.Image:
    """Return the image upright, in mode L or RGB, transparency laid on white."""
    # JPEG can decode at 1/2, 1/4 or 1/8; twice the wanted size is left for the antialiasing.
    image.draft(None, (2 * size, 2 * size))
    image.load()
    image = _upright(image)
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return Image.fromarray(_to_8_bits(np.asarray(image)))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    return image.convert("L" if image.mode in _GREY_MODES else "RGB")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block says nothing about the pixels
        return image


def _to_8_bits(values: np.ndarray) -> np.ndarray:
    """Return grey values of more than 8 bits as uint8.

    16-bit integers run to 65535 in every image, so that one sample's brightness does not depend on its own largest
    value; of 32-bit integers and floats the file does not say the range: it is 1, 255, 65535 or the largest value.
    """
    top = float(values.max(initial=0))
    if not np.isfinite(values).all():
        raise Undecodable("holds values that are not finite")
    if values.dtype.kind == "f" and top <= 1:
        white = 1.0
    elif values.dtype.itemsize == 2 or 255 < top <= 65535:
        white = 65535.0
    else:
        white = max(top, 255.0)
    return np.clip(np.rint(values * (255.0 / white)), 0, 255).astype(np.uint8)


def _resize(image: Image.Image, size: int, fit: str) -> Image.Image:
    """Return the image at size x size, antialiased."""
    if image.size == (size, size):
        return image
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side) if fit == "crop" else (0, 0, image.width, image.height)
    return image.resize((size, size), Image.Resampling.BICUBIC, box=box)


def _from_array(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def _to_array(image: Image.Image, channels: int) -> np.ndarray:
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))  # [C, H, W]


def _reason(error: BaseException) -> str:
    words = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    return f"cannot be decoded: {words or type(error).__name__}"
