"""Reads one PDF from standard input and writes its pages' texts and tables as JSON. Run by path, never imported.

A process of its own: a few kilobytes of PDF can ask for any amount of memory and time.
"""

from __future__ import annotations

import json
import logging
import sys
from io import BytesIO

PAGES = 60


def main() -> None:
    try:
        import resource

        size = int(sys.argv[1]) << 20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        """Not every system has limits."""
    import pdfplumber

    logging.disable()
    pages = []
    with pdfplumber.open(BytesIO(sys.stdin.buffer.read())) as document:
        for page in document.pages[:PAGES]:
            tables = [
                [[(cell or "").replace("\n", "") for cell in row] for row in table] for table in page.extract_tables()
            ]
            pages.append((page.extract_text() or "", [table for table in tables if table]))
            page.close()
    sys.stdout.write(json.dumps(pages))


if __name__ == "__main__":
    main()
