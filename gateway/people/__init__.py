"""People and programs: accounts, roles, sessions, keys, and the authoriser over them (ADR 0018)."""

from gateway.people import credentials
from gateway.people.authority import ByRole, FirstThings, NotSignedIn
from gateway.people.keys import ApiKey, Keys
from gateway.people.roles import ADMINISTRATORS, ROLES, Grant, Reach, Role
from gateway.people.users import NoEntry, User, Users

__all__ = [
    "ADMINISTRATORS",
    "ROLES",
    "ApiKey",
    "ByRole",
    "FirstThings",
    "Grant",
    "Keys",
    "NoEntry",
    "NotSignedIn",
    "Reach",
    "Role",
    "User",
    "Users",
    "credentials",
]
