"""Text in pictures, read by the program Tesseract where it is installed: Danish and English, on this machine, without a file."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from collections import OrderedDict
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast

from scanner.extract.walk import Walk
from scanner.model import Why

if TYPE_CHECKING:
    from PIL.Image import Image

SMALLEST = 64
"""A picture narrower or lower than this, in pixels, is an icon or a line."""
_LARGEST = 4000
"""Longer sides are shrunk to this, in pixels: an A4 page at 300 dots an inch has 3508."""
_ENLARGED = 1800
"""Small pictures are enlarged up to this, and up to three times: letters of ten pixels are read better."""
_SECONDS = 120.0
_LANGUAGES = ("dan", "eng")
_WORD = re.compile(r"\w\w")
_KEPT, _KEPT_TEXT = 256, 4096
_seen: OrderedDict[bytes, str] = OrderedDict()
"""What the last small pictures said, by a digest: one logo stands in ten thousand letters."""


class NotReadError(Exception):
    """No text could be read: why, and the message in our words."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why


def text_of(image: Image, walk: Walk) -> str:
    """The text in a picture, `""` when there is none or the picture is too small to hold any.

    Raises `NotReadError`: Tesseract is not installed, took too long or failed; and what Pillow raises for damaged pictures.
    """
    if min(image.size) < SMALLEST:
        return ""
    program, languages = _program()
    sink = io.BytesIO()
    _grey(image).save(sink, "PPM")
    digest = blake2b(sink.getbuffer(), digest_size=16).digest()
    if (known := _seen.get(digest)) is not None:
        _seen.move_to_end(digest)
        return known
    text = _run(program, languages, sink.getvalue(), walk)
    if len(text) <= _KEPT_TEXT:
        _seen[digest] = text
        if len(_seen) > _KEPT:
            _seen.popitem(last=False)
    return text


def _program() -> tuple[str, tuple[str, ...]]:
    program = shutil.which("tesseract")
    if not program:
        raise NotReadError(Why.UNSUPPORTED, "Tesseract is not installed")
    languages = _languages(program)
    if not languages:
        raise NotReadError(Why.UNSUPPORTED, "Tesseract has no language installed")
    return program, languages


def _run(program: str, languages: tuple[str, ...], picture: bytes, walk: Walk) -> str:
    wanted = [name for name in _LANGUAGES if name in languages] or [name for name in languages if name != "osd"][:1]
    turned = "1" if "osd" in languages else "3"  # 1: finds out which way is up
    command = [program, "stdin", "stdout", "-l", "+".join(wanted), "--psm", turned]
    limit = min(_SECONDS, walk.limits.unit_seconds * 0.8)
    walk.watch(walk.current)
    try:
        done = subprocess.run(
            command, input=picture, capture_output=True, timeout=limit, check=False, env={**os.environ, "OMP_THREAD_LIMIT": "1"}
        )
    except subprocess.TimeoutExpired:
        raise NotReadError(Why.TIMED_OUT, f"text recognition took longer than {limit:.0f} seconds") from None
    except OSError as error:
        raise NotReadError(Why.CRASHED, f"Tesseract could not be started ({type(error).__name__})") from None
    finally:
        walk.watch(walk.current)
    if done.returncode:
        raise NotReadError(Why.CRASHED, f"Tesseract failed (exit code {done.returncode})")
    lines = done.stdout.decode("utf-8", "replace").replace("\f", "\n").split("\n")
    return "\n".join(line for line in lines if not line.strip() or _WORD.search(line)).strip()


@lru_cache(maxsize=4)
def _languages(program: str) -> tuple[str, ...]:
    try:
        done = subprocess.run([program, "--list-langs"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    names = tuple(re.findall(r"(?m)^([\w/]+)\r?$", done.stdout.decode("utf-8", "replace")))
    return names if set(names) - {"osd"} else ()


def _grey(image: Image) -> Image:
    """A picture in shades of grey, upright, of a size that Tesseract reads well, on white where it is transparent."""
    from PIL import Image as pillow  # noqa: N813 - the module is called like its class
    from PIL import ImageOps

    image.draft("L", (_LARGEST, _LARGEST))
    if max(image.size) >= 2 * _LARGEST and image.mode in ("L", "RGB", "RGBA", "LA", "CMYK"):
        image = image.reduce(max(image.size) // _LARGEST)
    if image.mode.startswith(("I", "F")):
        grey = _stretched(image)
    elif image.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        full = image.convert("RGBA")
        low, high = (grey := _on(full, "white")).getextrema()
        grey = _on(full, "black") if low == high else grey
    else:
        grey = image.convert("L")
    longest = max(grey.size)
    factor = _LARGEST / longest if longest > _LARGEST else max(min(3, _ENLARGED // longest), 1)
    if factor != 1:
        grey = grey.resize((max(round(grey.width * factor), 1), max(round(grey.height * factor), 1)), pillow.Resampling.LANCZOS)
    try:
        return ImageOps.exif_transpose(grey)
    except Exception:
        return grey  # what stands beside the picture is damaged, as its captions tell


def _stretched(image: Image) -> Image:
    """More than 256 shades brought down to them."""
    wide: Any = image.convert("F")
    low, high = wide.getextrema()
    scale = 255.0 / (high - low) if high > low else 1.0
    return cast("Image", wide.point(lambda value: value * scale - low * scale).convert("L"))


def _on(image: Image, colour: str) -> Image:
    from PIL import Image as pillow  # noqa: N813

    ground = pillow.new("RGBA", image.size, colour)
    ground.alpha_composite(image)
    return ground.convert("L")
