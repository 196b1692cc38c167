"""How calls are signed: the auth profiles of china-facts §1.1 behind one protocol, one module a family.

`base` says what a profile is and makes the exchange, `declared` lets a file choose one; `inbound` checks who calls us.
"""

from adapters.kit.auth.base import Auth, NoAuth, Profile, Renewable, exchange
from adapters.kit.auth.declared import PROFILES, AuthModel, Declared, make_auth
from adapters.kit.auth.digest import Digest
from adapters.kit.auth.gj import GJ
from adapters.kit.auth.inbound import InboundModel
from adapters.kit.auth.stamped import TIF, XCLIENT, Sha1Concat
from adapters.kit.auth.tls import MutualTls
from adapters.kit.auth.tokens import ApiKey, Basic, Bearer, Carrier, LoginBearer, LoginMembers
from adapters.kit.auth.wsse import UsernameToken
from adapters.kit.auth.zj import ZJ

__all__ = [
    "GJ",
    "PROFILES",
    "TIF",
    "XCLIENT",
    "ZJ",
    "ApiKey",
    "Auth",
    "AuthModel",
    "Basic",
    "Bearer",
    "Carrier",
    "Declared",
    "Digest",
    "InboundModel",
    "LoginBearer",
    "LoginMembers",
    "MutualTls",
    "NoAuth",
    "Profile",
    "Renewable",
    "Sha1Concat",
    "UsernameToken",
    "exchange",
    "make_auth",
]
