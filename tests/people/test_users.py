"""Accounts: how one is let in, kept out, and closed; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.audit import Action, Actor, NotAllowed
from gateway.clock import Clock
from gateway.config import read
from gateway.errors import Usage
from gateway.people import ByRole, FirstThings, Grant, Keys, NoEntry, NotSignedIn, Users, credentials
from gateway.people.users import BARRED, FAILURES, IDLE, LONGEST, PASSWORD_DAYS
from gateway.scope import EVERYTHING, NOTHING, Place
from gateway.store import Store
from gateway.vault import Keyring, Vault

CONFIG = read(Path(__file__).parents[2] / "config")
BY = Actor.person("tester")
OWN = "Own-Password-1"


class Hand:
    """A clock whose real time is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    made = Hand()
    monkeypatch.setattr(Clock, "real", staticmethod(lambda: made.now))
    return made


@pytest.fixture
def users(store: Store, hand: Hand) -> Users:
    return Users(store, Vault(Keyring.new()), Clock(store), lambda: CONFIG)


def settled(users: Users, name: str, *roles: str) -> None:
    """A user who has chosen a password."""
    first = users.add(name, "", map(Grant.parse, roles), BY)
    users.choose(name, first, OWN, "")


def refused(users: Users, name: str, password: str, code: str = "") -> str:
    with pytest.raises(NoEntry) as failure:
        users.enter(name, password, code)
    return failure.value.code


def test_a_session_is_whose_it_is_until_it_ends(users: Users, hand: Hand) -> None:
    assert users.none()
    settled(users, "wang", "operator")
    assert not users.none()
    session = users.enter("Wang ", OWN, "")
    user = users.of_session(session, used=True)
    assert user is not None
    assert (user.name, user.must, [str(g) for g in user.grants]) == ("wang", "", ["operator"])
    assert users.of_session("x" + session, used=True) is None
    users.leave(session)
    assert users.of_session(session, used=True) is None


def test_a_session_unused_ends_and_one_that_renews_itself_does_too(users: Users, hand: Hand) -> None:
    settled(users, "wang", "operator")
    used, idle = users.enter("wang", OWN, ""), users.enter("wang", OWN, "")
    for _ in range(3):
        hand.pass_(IDLE / 2)
        assert users.of_session(used, used=True) is not None
        users.of_session(idle, used=False)
    assert users.of_session(idle, used=False) is None
    for _ in range(2 * LONGEST // IDLE):
        hand.pass_(IDLE / 2)
        users.of_session(used, used=True)
    assert users.of_session(used, used=True) is None


def test_failures_in_a_row_close_an_account_for_a_while(users: Users, hand: Hand) -> None:
    settled(users, "wang", "operator")
    assert [refused(users, "wang", "wrong") for _ in range(FAILURES)] == ["PASSWORD"] * FAILURES
    assert refused(users, "wang", OWN) == "BARRED"
    hand.pass_(BARRED + 1)
    users.enter("wang", OWN, "")
    for _ in range(FAILURES - 1):
        refused(users, "wang", "wrong")
    users.enter("wang", OWN, "")
    assert refused(users, "wang", "wrong") == "PASSWORD", "a right one ends the row"


def test_nobody_learns_which_names_there_are(users: Users) -> None:
    settled(users, "wang", "operator")
    told = set()
    for name in ("wang", "nobody", "", "x" * 64):
        with pytest.raises(NoEntry) as failure:
            users.enter(name, "wrong", "")
        told.add(str(failure.value))
    assert len(told) == 1


def test_locking_ends_sessions_and_unlocking_opens(users: Users) -> None:
    settled(users, "wang", "operator")
    session = users.enter("wang", OWN, "")
    users.lock("wang")
    assert users.of_session(session, used=True) is None
    assert refused(users, "wang", OWN) == "LOCKED"
    users.unlock("wang")
    users.enter("wang", OWN, "")


def test_a_first_password_is_replaced_before_anything_else(store: Store, users: Users, hand: Hand) -> None:
    first = users.add("wang", "王工", [Grant.parse("operator")], BY)
    hook = ByRole(store, users, lambda: CONFIG)
    with pytest.raises(FirstThings):
        hook.authorize(Actor.user("wang"), Action.READ_STATUS, "")
    hook.authorize(Actor.user("wang"), Action.OWN_ACCOUNT, "")
    session, other = users.enter("wang", first, ""), users.enter("wang", first, "")
    for bad in ("short-A1", "x" * 9, "aaaaAAAA1111", "wang-Wang-123", "lowercaseonly", first):
        with pytest.raises(Usage):
            users.choose("wang", first, bad, session)
    with pytest.raises(NoEntry):
        users.choose("wang", "wrong", OWN, session)
    users.choose("wang", first, OWN, session)
    assert users.of_session(session, used=True) is not None
    assert users.of_session(other, used=True) is None, "whoever knew the old one is out"
    assert hook.authorize(Actor.user("wang"), Action.READ_STATUS, "") == EVERYTHING
    hand.pass_(PASSWORD_DAYS * 86400 + 1)
    assert users.get("wang").must == "password"


def test_an_administrator_binds_a_code_and_logs_in_with_it(users: Users, hand: Hand) -> None:
    settled(users, "wang", "security")
    assert users.get("wang").must == "totp"
    users.enter("wang", OWN, "")
    key = credentials.totp_key()
    with pytest.raises(Usage):
        users.bind("wang", key, credentials.totp_code(credentials.totp_key(), hand.now.timestamp()))
    users.bind("wang", key, credentials.totp_code(key, hand.now.timestamp()))
    assert users.get("wang").must == ""
    assert refused(users, "wang", OWN, credentials.totp_code(key, hand.now.timestamp())) == "CODE_USED", (
        "it was used to bind"
    )
    hand.pass_(30)
    code = credentials.totp_code(key, hand.now.timestamp())
    assert refused(users, "wang", OWN, "") == "CODE"
    assert refused(users, "wang", OWN, "000000" if code != "000000" else "111111") == "CODE"
    users.enter("wang", OWN, code)
    assert refused(users, "wang", OWN, code) == "CODE_USED"
    hand.pass_(120)
    assert refused(users, "wang", OWN, code) == "CODE", "it is over"
    users.unbind("wang")
    assert users.get("wang").must == "totp"


def test_nobody_is_two_of_the_three_administrators(users: Users) -> None:
    for two in (("system", "security"), ("security", "audit"), ("audit", "system")):
        with pytest.raises(Usage, match="三员分立"):
            users.add("wang", "", map(Grant.parse, two), BY)
    users.add("wang", "", [Grant.parse("system")], BY)
    with pytest.raises(Usage, match="三员分立"):
        users.grant("wang", map(Grant.parse, ("system", "audit")))
    assert users.get("wang").roles == {"system"}


@pytest.mark.parametrize(
    "text", ["boss", "county", "operator:360981", "county:360100", "agency:某某局", "bank:no-bank"]
)
def test_a_role_that_is_none_is_refused(users: Users, text: str) -> None:
    with pytest.raises(Usage):
        users.add("wang", "", [Grant.parse(text)], BY)
    assert users.none()


@pytest.mark.parametrize("name", ["张三", "13800000000", "a", "a b", "x" * 33, "360999197001010018", "-a"])
def test_a_name_is_fit_for_the_audit_log(users: Users, name: str) -> None:
    with pytest.raises(Usage):
        users.add(name, "", [], BY)


def test_taking_a_role_away_ends_sessions(users: Users) -> None:
    settled(users, "wang", "operator")
    session = users.enter("wang", OWN, "")
    users.grant("wang", [])
    assert users.of_session(session, used=True) is None


def test_nothing_that_opens_a_door_is_in_the_store(store: Store, users: Users) -> None:
    settled(users, "wang", "operator")
    session = users.enter("wang", OWN, "")
    key = Keys(store, Clock(store), lambda: CONFIG).add("pp", [Grant.parse("observer")], BY)
    with store.read() as tx:
        rows = [*tx.all("logins"), tx.one("session_get", digest=credentials.digest(session)), *tx.all("api_keys")]
    kept = repr(rows)
    assert "$argon2id$" in kept
    assert not any(secret in kept for secret in (OWN, session, key, key[credentials.PREFIX :]))


def test_a_key_opens_until_it_is_revoked_or_over(store: Store, users: Users, hand: Hand) -> None:
    keys = Keys(store, Clock(store), lambda: CONFIG)
    with pytest.raises(Usage):
        keys.add("pp", [Grant.parse("system")], BY)
    with pytest.raises(Usage):
        keys.add("pp", [], BY)
    text, short = keys.add("pp", [Grant.parse("observer")], BY), keys.add("qq", [Grant.parse("observer")], BY, days=1)
    assert (keys.whose(text), keys.whose(text + "x"), keys.whose("")) == (Actor.api("pp"), None, None)
    hand.pass_(86401)
    assert (keys.whose(short), keys.whose(text)) == (None, Actor.api("pp"))
    keys.revoke("pp")
    assert keys.whose(text) is None
    with pytest.raises(Usage):
        keys.revoke("pp")
    with pytest.raises(Usage):
        keys.add("pp", [Grant.parse("observer")], BY)
    assert [(k.name, k.state) for k in keys.all()] == [("pp", "revoked"), ("qq", "expired")]


def test_roles_reach_as_far_as_they_were_given(store: Store, users: Users) -> None:
    """Lists are cut to it, places are held against it, and what is of nobody's part is for those who hold all."""
    settled(users, "fc", "county:360981")
    settled(users, "mz", "agency:360981/丰城市民政局", "observer")
    settled(users, "none")
    hook = ByRole(store, users, lambda: CONFIG)
    county, agency = Actor.user("fc"), Actor.user("mz")
    scope = hook.authorize(county, Action.READ_STATUS, "")
    assert (scope.sees("360981", "marriage"), scope.sees("360982", "marriage")) == (True, False)
    assert hook.authorize(agency, Action.READ_STATUS, "") == EVERYTHING, "observers see all"
    hook.authorize(agency, Action.UPLOAD, "", Place("360981", "marriage"))
    for actor, action, place in (
        (county, Action.SYNC, Place("360982", "marriage")),
        (county, Action.SYNC, None),
        (county, Action.FORWARD, None),
        (county, Action.READ_STATUS, Place("360982", "")),
        (agency, Action.UPLOAD, Place("360981", "payment")),
        (agency, Action.UPLOAD, Place("360982", "marriage")),
        (agency, Action.UPLOAD, Place("360981", "")),
        (Actor.user("none"), Action.READ_STATUS, None),
    ):
        with pytest.raises(NotAllowed):
            hook.authorize(actor, action, "", place)
    with pytest.raises(NotSignedIn):
        hook.authorize(Actor.anybody(), Action.READ_STATUS, "")
    assert hook.authorize(Actor.anybody(), Action.PUSH, "") == NOTHING
    assert hook.authorize(Actor.person("root"), Action.SYNC, "") == EVERYTHING
