"""Named moments at which a process may die; the kill suites stop it there (`SHUQIAO_DIE_AT=committing:3`).

Every moment lies between two durable steps, so what survives is what DESIGN §5.1 promises. Outside those suites `reached`
costs one comparison.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Final

STEPS: Final = ("fetched", "committing", "reserved", "submitted", "appended", "receipt")

_step, _, _nth = os.environ.get("SHUQIAO_DIE_AT", "").partition(":")
_seen: Counter[str] = Counter()


def reached(step: str) -> None:
    """Marks that `step` (one of STEPS) was reached."""
    if step == _step:
        _seen[step] += 1
        if _seen[step] >= int(_nth or "1"):
            os.kill(os.getpid(), signal.SIGKILL)
