"""The authoriser: roles for users and programs; who types on the server is the operating system's to judge."""

from __future__ import annotations

from collections.abc import Callable

from gateway.audit import Action, Actor, ActorKind, NotAllowed
from gateway.config import Config
from gateway.errors import Told
from gateway.people.roles import ANYBODY, FILTERED, SIGNED_IN, scope_of
from gateway.people.users import Users, grants_of
from gateway.scope import EVERYTHING, NOTHING, WHOLE, Place, Scope
from gateway.store import Store


class NotSignedIn(NotAllowed):
    """Nobody has said who they are."""

    def __init__(self, actor: Actor, action: Action, target: str = "") -> None:
        Told.__init__(self, "请先登录，或带上接口密钥")
        self.target = target


class FirstThings(NotAllowed):
    """Something has to be done before anything else; `must` says what: `password` or `totp`."""

    def __init__(self, must: str) -> None:
        sentences = {"password": "请先换上自己的口令", "totp": "管理员请先绑定动态口令"}
        Told.__init__(self, sentences[must])
        self.must, self.target = must, ""


class ByRole:
    """What `roles.ROLES` lets do, looked up anew for every action: what was taken away is gone at once."""

    def __init__(self, store: Store, users: Users, config: Callable[[], Config]) -> None:
        self._store, self._users, self._config = store, users, config

    def authorize(self, actor: Actor, action: Action, target: str, place: Place | None = None) -> Scope:
        """As `Authorizer`. Raises NotSignedIn, FirstThings or NotAllowed."""
        if actor.kind is ActorKind.ANYBODY and action not in ANYBODY:
            raise NotSignedIn(actor, action, target)
        if action in ANYBODY or (action in SIGNED_IN and actor.kind is ActorKind.USER):
            return NOTHING
        scope = self._reach(actor, action)
        asked = WHOLE if place is None and action not in FILTERED else place
        if scope == NOTHING or (asked is not None and not scope.holds(asked)):
            raise NotAllowed(actor, action, target)
        return scope

    def allows(self, actor: Actor, action: Action, place: Place | None = None) -> bool:
        """As `Authorizer`."""
        try:
            scope = self._reach(actor, action)
        except NotAllowed:
            return False
        return scope.everything or (scope != NOTHING if place is None else scope.holds(place))

    def _ready(self, actor: Actor) -> None:
        user = self._users.get(actor.name)
        if user.state != "active":
            raise NotAllowed(actor, Action.LOG_IN)
        if user.must:
            raise FirstThings(user.must)

    def _reach(self, actor: Actor, action: Action) -> Scope:
        """What the roles of an actor let touch. Raises FirstThings or NotAllowed."""
        if actor.kind is ActorKind.ANYBODY:
            return NOTHING
        if actor.kind not in (ActorKind.USER, ActorKind.API_KEY):
            return EVERYTHING
        if actor.kind is ActorKind.USER:
            self._ready(actor)
        with self._store.read() as tx:
            grants = grants_of(tx, actor)
        return scope_of(grants, action, self._config())
