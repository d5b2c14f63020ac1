"""Texts as bytes: which encoding they are in, markup taken off, and what is no text at all."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from handful.data.items import Undecodable
from handful.errors import InputError

ENCODINGS = (
    "utf-8",
    "utf-16-le",
    "utf-16-be",
    "utf-32-le",
    "utf-32-be",
    "cp1252",
    "latin-1",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "koi8-r",
    "cp866",
    "iso8859-2",
    "iso8859-5",
    "iso8859-15",
    "mac-roman",
    "shift_jis",
    "euc_jp",
    "iso2022_jp",
    "gb18030",
    "big5",
    "euc_kr",
)
"""The encodings that are told apart, by their Python names; a scan keeps them as numbers, so new ones go last."""
MARKUP = ("strip", "keep")
MAX_CHARACTERS = 2_000_000
"""Longer texts are refused: a book has half of that, and a file without line ends is rarely one document."""
_READ = "txt text md rst tex org adoc html htm xhtml eml log srt vtt"
_REFUSED = "pdf doc docx odt rtf epub ppt pptx"  # documents, so they are named, not passed over
EXTENSIONS = frozenset(f".{name}" for name in f"{_READ} {_REFUSED}".split())
_OTHER_TEXT = frozenset(  # text that is not a document
    f".{name}"
    for name in ("csv", "tsv", "tab", "jsonl", "ndjson", "json", "xml", "yaml", "yml", "toml", "ini", "cfg", "py", "js")
)
_BOMS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES = {b"%PDF-": "a PDF", b"PK\x03\x04": "a zip archive or an office document", b"{\\rtf": "an RTF document"}
_TAG = re.compile(
    r"<!doctype html|<html[\s>]|</(?:p|div|span|a|b|i|li|td|table|h[1-6]|body|font|strong|em)\s*>|<br\s*/?>", re.I
)
_SAMPLE = 65_536  # bytes that the encoding is told from


def is_text_file(path: Path) -> bool:
    """Tell whether a file is meant to be one document, by its extension, else by its first bytes."""
    suffix = path.suffix.lower()
    if suffix in EXTENSIONS:
        return True
    if suffix in _OTHER_TEXT:
        return False
    try:
        with path.open("rb") as file:
            return looks_like_text(file.read(4096))
    except OSError:
        return False


def looks_like_text(head: bytes) -> bool:
    """Tell whether the first bytes of a file are those of UTF-8 text."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and _share_of_controls(text) < 0.01


def decode_text(content: bytes, *, encoding: str | None = None, markup: str = "strip") -> tuple[str, str]:
    """Return the text that `content` holds, without white space around it, and the name of its encoding.

    encoding: of the bytes; None finds it. markup: "strip" leaves the words that a browser shows of HTML, "keep" all.
    Raises Undecodable with the reason.
    """
    for signature, kind in _SIGNATURES.items():
        if content.startswith(signature):
            raise Undecodable(f"is {kind}: save it as plain text")
    found = encoding or find_encoding(content)
    try:
        text = content.decode(found).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Undecodable(f"is not {found}: byte 0x{content[error.start]:02x} at {error.start}") from None
    return clean_text(text, markup=markup), found


def clean_text(text: str, *, markup: str = "strip") -> str:
    """Return a text without markup and surrounding white space. Raises Undecodable where no text is left."""
    if "\0" in text:
        raise Undecodable("holds NUL bytes: it is not text, or in an encoding that must be given")
    if len(text) > MAX_CHARACTERS:
        raise Undecodable(f"has {len(text):,} characters, more than {MAX_CHARACTERS:,}: cut it into documents")
    if _share_of_controls(text) > 0.05:
        raise Undecodable("is not text: more than 5 % of it are control characters")
    if markup == "strip" and "<" in text and _TAG.search(text):
        text = visible_text(text)
    text = text.strip()
    if not text:
        raise Undecodable("holds no text, only white space or markup")
    return text


def check_encoding(encoding: str | None) -> None:
    """Raise InputError unless Python knows `encoding`; None is what is found."""
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        raise InputError(
            f"encoding={encoding!r} is not known to Python: give one such as 'utf-8' or 'cp1252'."
        ) from None


def find_encoding(content: bytes) -> str:
    """Return the name of the encoding of `content`, one of `ENCODINGS`: marked, UTF-8, or told from the letters."""
    for mark, name in _BOMS:
        if content.startswith(mark):
            return name
    head = content[:_SAMPLE]
    if b"\0" in head:
        return _find_wide(head)
    try:
        content.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        return _find_legacy(head)


def visible_text(markup: str) -> str:
    """Return the words that a browser shows of HTML, blocks on lines of their own."""
    reader = _Visible()
    reader.feed(markup)
    reader.close()
    lines = ("".join(reader.parts)).splitlines()
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def _find_wide(head: bytes) -> str:
    """Return the UTF-16 that zero bytes at every other place are a sign of; plain text with a NUL is left UTF-8."""
    even, odd = head[::2].count(0) / max(1, len(head[::2])), head[1::2].count(0) / max(1, len(head[1::2]))
    if odd > 0.3 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.3 and odd < 0.05 else "utf-8"


def _find_legacy(head: bytes) -> str:
    """Return the encoding of bytes that are not UTF-8."""
    if _is_western(head):
        return "cp1252"
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return "latin-1"  # every byte is one of its letters, so that at least the ASCII words come through
    best = from_bytes(head, cp_isolation=[name for name in ENCODINGS if not name.startswith("utf")]).best()
    found = "" if best is None else codecs.lookup(best.encoding).name
    names = {codecs.lookup(name).name: name for name in ENCODINGS}
    return names.get(found, "latin-1")


def _is_western(head: bytes) -> bool:
    """Tell whether the bytes above 127 are few and read as accents and quotation marks between ASCII letters.

    In Cyrillic, Greek or East Asian text they are most of the letters; a guess from frequencies fails on short texts.
    """
    high = [byte for byte in head if byte > 127]
    letters = sum(chr(byte).isalpha() for byte in head if byte < 128)
    if not high or len(high) > 0.25 * letters:
        return False
    try:
        decoded = bytes(high).decode("cp1252")
    except UnicodeDecodeError:
        return False
    return sum(char.isalpha() or char in "‘’“”–—…€£§°«»•©®´¡¿·\xa0" for char in decoded) > 0.9 * len(decoded)


def _share_of_controls(text: str) -> float:
    head = text[:_SAMPLE]
    return sum(char < " " and char not in "\t\n\r\f\v\x1b" for char in head) / max(1, len(head))


class _Visible(HTMLParser):
    _HIDDEN = frozenset(("script", "style", "template", "noscript"))
    _INLINE = frozenset(
        ("a", "abbr", "b", "big", "code", "em", "font", "i", "img", "q", "s", "small", "span", "strong")
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._hidden += tag in self._HIDDEN
        if tag not in self._INLINE:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in self._HIDDEN))
        if tag not in self._INLINE:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)
