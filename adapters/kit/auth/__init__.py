"""How calls are signed: the auth profiles of china-facts §1.1 behind one protocol, one module a family."""

from adapters.kit.auth.base import Auth, NoAuth, Signed, exchange
from adapters.kit.auth.gj import GJ, gj_decrypt, gj_sign
from adapters.kit.auth.tokens import Bearer, LoginBearer

__all__ = ["GJ", "Auth", "Bearer", "LoginBearer", "NoAuth", "Signed", "exchange", "gj_decrypt", "gj_sign"]
