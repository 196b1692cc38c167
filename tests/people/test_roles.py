"""The table of roles: complete, separated, and told as it is."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

from gateway.audit import Action
from gateway.people import ADMINISTRATORS, ROLES
from gateway.people.roles import ANYBODY, FILTERED, SIGNED_IN

ROOT = Path(__file__).parents[2]
REACH = {"全部": "all", "本县": "county", "本部门的报送义务": "agency", "本单位": "institution"}
ON_THE_SERVER = {
    "ask",
    "adapter_new",
    "adapter_record",
    "adapter_test",
    "advance_clock",
    "upgrade_db",
    "demo",
    "serve",
    "worker",
    "keys",
    "keys_rotate",
    "keys_rewrap",
    "keys_prune",
}
"""What no role may do: it is done at the server, or by the gateway itself."""


def test_the_document_shows_the_table() -> None:
    rows = re.findall(
        r"^\| (\S+) \| `(\w+)` \| (\S+) \| ((?:`\w+` ?)+)\|$",
        (ROOT / "docs/security.md").read_text("utf-8"),
        re.MULTILINE,
    )
    told = {role: (title, REACH[reach], set(re.findall(r"\w+", actions))) for title, role, reach, actions in rows}
    assert told == {role: (r.title, r.reach, set(r.actions)) for role, r in ROLES.items()}


def test_every_action_is_somebodys() -> None:
    given = set[Action]().union(*(rights.actions for rights in ROLES.values()), ANYBODY, SIGNED_IN)
    assert given | ON_THE_SERVER == set(Action)
    assert given & ON_THE_SERVER == set()
    assert given >= FILTERED


def test_no_administrator_does_anothers_work_or_makes_an_account_alone() -> None:
    """To add an account, to give it a role, and to read what was done are three people's."""
    whose = {
        action: {role for role, rights in ROLES.items() if action in rights.actions}
        for action in (Action.USER_ADD, Action.USER_RESET, Action.USER_ROLE, Action.USER_TOTP, Action.READ_AUDIT)
    }
    assert whose == {
        Action.USER_ADD: {"system"},
        Action.USER_RESET: {"system"},
        Action.USER_ROLE: {"security"},
        Action.USER_TOTP: {"security"},
        Action.READ_AUDIT: {"audit"},
    }
    looks = {Action.USER_LIST, Action.KEY_LIST, Action.USER_LOCK}
    for one, other in combinations(sorted(ADMINISTRATORS), 2):
        assert ROLES[one].actions & ROLES[other].actions <= looks
