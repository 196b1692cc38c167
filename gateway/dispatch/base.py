"""The one port in which embedded and distributed differ."""

from typing import Protocol


class Dispatcher(Protocol):
    """Gets queued runs carried out, somewhere, at least once; leases and fences make it once."""

    def submit(self, run_id: int) -> None: ...

    def close(self) -> None:
        """Takes no more runs and waits for those under way."""
        ...
