"""`verify` answers for the ledger and for the audit log, and names the entry that does not hold."""

from __future__ import annotations

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
        assert (fine.exit_code, "审计日志完整" in fine.stdout) == (0, True)
        assert shuqiao(settings, "verify").exit_code == 0
        with made.gateway.store.engine.connect() as connection:
            connection.execute(text("UPDATE audit SET target = 'nobody' WHERE seq = 2"))
        broken = shuqiao(settings, "verify")
        assert broken.exit_code == 1
        assert str(broken.exception) == "审计日志第 2 条被改动或删除"
