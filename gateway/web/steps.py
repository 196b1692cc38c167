"""What people and programs do here: each step once, for the form of a page and for the API, with its line in the audit log."""

from __future__ import annotations

from adapters.kit import Probe
from gateway.accounts import resume_account as resumed
from gateway.audit import Action
from gateway.board import account_view
from gateway.config import read
from gateway.cutover import Comparison
from gateway.dispatch.execute import RunOptions
from gateway.documents import digest
from gateway.errors import Unreconciled
from gateway.preview import Preview
from gateway.web.common import Seat
from gateway.worklist import Errand


def run(seat: Seat, feed: str, options: RunOptions) -> int:
    """Queues a run of a feed; its number."""
    number = seat.gateway.steering.run(seat.gateway.feed(feed).name, str(seat.actor), options)
    seat.record(Action.SYNC, feed, {"run": number, "full": options.full, "since": options.since})
    return number


def pause(seat: Seat, feed: str, reason: str) -> None:
    seat.gateway.steering.pause(seat.gateway.feed(feed).name, reason, str(seat.actor))
    seat.record(Action.PAUSE, feed)


def resume(seat: Seat, feed: str) -> None:
    seat.gateway.steering.resume(seat.gateway.feed(feed).name)
    seat.record(Action.RESUME, feed)


def reset(seat: Seat, feed: str, confirm: str) -> None:
    """Forgets where a source was read to. `confirm` is the feed's name, written once more."""
    seat.gateway.steering.reset(seat.gateway.feed(feed).name, confirm)
    seat.record(Action.RESET_CURSOR, feed)


def check(seat: Seat, feed: str, *, draft: bool = False) -> list[Probe]:
    """Layer by layer from the configuration to one mapped row; somebody may be asked about, so it is somebody's errand."""
    probes = seat.gateway.check(feed, Errand(seat.actor, most=1), draft=draft)
    seat.record(Action.CHECK, feed, {"layers": len(probes), "ok": all(probe.ok for probe in probes)})
    return probes


def preview(seat: Seat, feed: str, rows: int, *, draft: bool = False) -> Preview:
    """One page of a feed for people's eyes, masked; nothing is stored."""
    shown = seat.gateway.preview(feed, rows, Errand(seat.actor, most=1), draft=draft)
    seat.record(Action.PREVIEW, feed, {"rows": len(shown.rows)})
    return shown


def waive(seat: Seat, duty: tuple[str, str], period: str, reason: str) -> None:
    """Excuses one period of a duty (county, dataset)."""
    seat.gateway.ledger.waive(*duty, period, reason, str(seat.actor))
    seat.record(Action.WAIVE, f"{duty[0]}/{duty[1]}/{period}")


def revoke(seat: Seat, duty: tuple[str, str], period: str) -> None:
    """Takes a waiver back."""
    seat.gateway.ledger.revoke(*duty, period, str(seat.actor))
    seat.record(Action.REVOKE_WAIVER, f"{duty[0]}/{duty[1]}/{period}")


def retire(seat: Seat, duty: tuple[str, str], reason: str, *, despite: bool) -> Comparison:
    """From now on nothing of a duty (county, dataset) is taken in by hand."""
    found = seat.gateway.cutover.retire(*duty, reason, str(seat.actor), despite=despite)
    detail: dict[str, int | bool] = {"differences": found.differences, "despite": despite}
    seat.record(Action.RETIRE, "/".join(duty), detail)
    return found


def reopen(seat: Seat, duty: tuple[str, str]) -> None:
    """Files are taken in by hand again."""
    seat.gateway.cutover.reopen(*duty)
    seat.record(Action.REOPEN, "/".join(duty))


def accept_drift(seat: Seat, feed: str) -> int:
    """A source's fields are as they are to be; how many changes that were."""
    count = seat.gateway.accept_drift(feed)
    seat.record(Action.ACCEPT_DRIFT, feed, {"changes": count})
    return count


def accept_description(seat: Seat, feed: str) -> list[str]:
    """Runs follow the agency's service description of now; what that changes."""
    with seat.gateway.described(feed) as described:
        before = digest(described.pinned())
        changes = described.accept()
        after = digest(described.pinned())
    if after != before:
        detail: dict[str, str | int] = {"changes": len(changes), "before": before[:16], "after": after[:16]}
        seat.record(Action.WSDL_ACCEPT, feed, detail)
    return changes


def resume_account(seat: Seat, name: str) -> None:
    """A person has acted: a stopped account is asked again. Raises Usage: there is none of this name."""
    gateway = seat.gateway
    account_view(gateway.store, gateway.clock, gateway.config, seat.scope, name)
    resumed(gateway.store, name)
    seat.record(Action.RESUME_ACCOUNT, name)


def verify(seat: Seat) -> dict[str, int]:
    """Every sink from its first block on, and the audit log; blocks by sink.

    Raises:
        ChainError: names the block that does not hold.
        Unreconciled: the audit log was altered.
    """
    blocks = seat.gateway.verify_chains()
    if (altered := seat.gateway.audit.broken_at()) is not None:
        raise Unreconciled("审计日志第 {seq} 条被改动或删除", seq=altered)
    seat.record(Action.VERIFY, "", {"blocks": sum(blocks.values())})
    return blocks


def publish(seat: Seat) -> bool:
    """Makes the drafts the running version; False where they are already.

    Raises:
        ConfigInvalid: the files of the whole gateway are broken.
    """
    seat.gateway.draft = read(seat.gateway.settings.config)
    return seat.gateway.publish(seat.actor)


def rollback(seat: Seat, number: int) -> bool:
    """Goes back to a version, as a new one; the drafts stay as they are.

    Raises:
        Usage: there is none of this number.
        ConfigInvalid: it does not hold any more.
    """
    return seat.gateway.drafts.rollback(seat.actor, number)
