"""The extractors that are compared, each from bytes and the header's character set to text, with the options that suit it best."""

from __future__ import annotations

import logging
from collections.abc import Callable

from connectors.errors import missing_extra
from curation.extract import charset

Extract = Callable[[bytes, str], str]


def fast() -> Extract:
    """Ours, as the step calls it."""
    from curation.extract.fast_engine import main_text

    def extract(html: bytes, header: str) -> str:
        utf8 = charset.to_utf8(html, header)
        return "" if utf8 is None else main_text(utf8)

    return extract


def resiliparse() -> Extract:
    """resiliparse without bullets, links, alternative texts and form fields, which no gold text has."""
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    def extract(html: bytes, header: str) -> str:
        decoded = bytes_to_str(html, header or detect_encoding(html))
        return str(
            extract_plain_text(
                decoded, main_content=True, list_bullets=False, alt_texts=False, links=False, form_fields=False
            )
        )

    return extract


def trafilatura() -> Extract:
    """trafilatura without comments; it decodes by itself."""
    try:
        import trafilatura as package
    except ImportError:
        raise missing_extra("trafilatura", "extract") from None
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)

    def extract(html: bytes, header: str) -> str:
        return package.extract(html, include_comments=False, include_tables=True) or ""

    return extract


EXTRACTORS: dict[str, Callable[[], Extract]] = {"fast": fast, "resiliparse": resiliparse, "trafilatura": trafilatura}
