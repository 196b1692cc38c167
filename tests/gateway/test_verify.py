"""`verify` answers for the ledger and for the audit log, and names the entry that does not hold."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.house import house
from tests.support.verbs import shuqiao

pytestmark = pytest.mark.sockets


def test_an_altered_entry_of_the_audit_log_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with house(tmp_path, monkeypatch, households=20) as made:
        settings = made.gateway.settings
        fine = shuqiao(settings, "verify")
        assert (fine.exit_code, "审计日志 1 条，完整" in fine.stdout) == (0, True)
        assert shuqiao(settings, "verify").exit_code == 0
        with made.gateway.store.engine.connect() as connection:
            connection.execute(text("UPDATE audit SET target = 'nobody' WHERE seq = 2"))
        broken = shuqiao(settings, "verify")
        assert broken.exit_code == 1
        assert str(broken.exception) == "审计日志第 2 条被改动或删除"


def test_the_newest_entries_cannot_be_taken_away_unseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not from the log alone, nor with all that the store says of their head: the chain has it."""
    with house(tmp_path, monkeypatch, households=20) as made:
        settings, engine = made.gateway.settings, made.gateway.store.engine
        for day in range(2):
            made.gateway.clock.set(made.gateway.clock.now() + timedelta(days=1))
            assert shuqiao(settings, "forward").exit_code == 0, day
        assert not made.gateway.heads.state(), "within the hour, nothing is stated again"
        assert shuqiao(settings, "verify", "--audit").exit_code == 0
        newest = made.gateway.audit.newest()
        with engine.connect() as connection:
            connection.execute(text("DELETE FROM audit WHERE seq > 1"))
        cut = shuqiao(settings, "verify", "--audit")
        assert (cut.exit_code, newest > 3) == (1, True)
        assert str(cut.exception).startswith("审计日志第 2 条被删除或换掉")
        with engine.connect() as connection:
            connection.execute(text("DELETE FROM statement WHERE schema = 'audit/1' AND seq > 1"))
            connection.execute(text("UPDATE stream SET next_seq = 1, sealed_seq = 1 WHERE name = 'desk:audit'"))
        hidden = shuqiao(settings, "verify", "--audit")
        assert str(hidden.exception) == ("链 local 上锚定过 2 次审计日志，库里只有 1 次：审计日志第 1 条之后被删除")
