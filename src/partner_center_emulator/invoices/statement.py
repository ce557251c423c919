"""A small PDF by hand (wire room): text on pages, enough for the statement of an invoice and a tax receipt."""

from __future__ import annotations

from collections.abc import Sequence

_LINES_PER_PAGE = 54
_FIRST_BASELINE, _LINE_HEIGHT, _LEFT, _SIZE = 800, 14, 50, 10


def pdf(lines: Sequence[str]) -> bytes:
    """Return a PDF 1.4 document with ``lines`` one under the other; what Latin-1 lacks becomes a question mark."""
    pages = [lines[start : start + _LINES_PER_PAGE] for start in range(0, len(lines), _LINES_PER_PAGE)] or [[]]
    first_page = 4  # 1 catalog, 2 list of pages, 3 font; then a page and its content in turn
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        content = _content(page)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {first_page + 2 * number + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _file(objects)


def _content(lines: Sequence[str]) -> bytes:
    rows = [f"BT /F1 {_SIZE} Tf {_LINE_HEIGHT} TL {_LEFT} {_FIRST_BASELINE} Td"]
    for line in lines:
        escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        rows.append(f"({escaped}) Tj T*")
    rows.append("ET")
    return "\n".join(rows).encode("cp1252", "replace")


def _file(objects: Sequence[bytes]) -> bytes:
    """Return the objects as a file with its cross-reference table."""
    body = bytearray(b"%PDF-1.4\n")
    places: list[int] = []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        body += b"%010d 00000 n \n" % place
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(body)
