"""Auth profiles as data: what a YAML file may say under `auth:`, so that choosing one needs no Python.

    profile         parameters (* required)                                   secrets of the account
    none
    bearer          secret, header, scheme, query                             token, or as `secret` says
    api_key         header, scheme, query                                     api_key
    login           url*, header, scheme, query, app_id, app_secret, token,   app_id, app_secret
                    expires, lifetime
    basic                                                                     username, password
    digest                                                                    username, password
    gj              base_url*, rid*, sid*, prefix, sign_prefix, wrapper       app_key
    zj              base_url*, place                                          app_key, app_secret
    tif                                                                       paasid, token
    xclient                                                                   client_id, token_secret
    sha1_concat                                                               app_key, app_secret
    username_token  password                                                  username, password
    mutual_tls      also, private_ca                                          client_cert, client_key; server_ca if
                                                                              private_ca; those of `also`

Secrets stand in the account, ids included: who changes one changes the other. `PROFILES` is this table for programs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Final, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, StrictStr, model_validator

from adapters.kit.auth.base import Auth, NoAuth
from adapters.kit.auth.digest import Digest
from adapters.kit.auth.gj import GJ
from adapters.kit.auth.stamped import TIF, XCLIENT, Sha1Concat
from adapters.kit.auth.tls import MutualTls
from adapters.kit.auth.tokens import API_KEY, BEARER, LOGIN, ApiKey, Basic, Bearer, Carrier, LoginBearer, LoginMembers
from adapters.kit.auth.wsse import UsernameToken
from adapters.kit.auth.zj import ZJ
from adapters.kit.base import Ports
from adapters.kit.values import Address

Name: TypeAlias = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
"""Of a header, a parameter, a member or a secret."""


class Declared(BaseModel):
    """One profile and its parameters; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    secrets: ClassVar[tuple[str, ...]] = ()
    """What it needs whatever its parameters say."""

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        """Names of the account's secrets that signing asks for."""
        return self.secrets

    @abstractmethod
    def make(self, ports: Ports) -> Auth:
        """The profile, over an account's ports. Asks for no secret yet."""


class NoAuthModel(Declared):
    profile: Literal["none"]

    def make(self, ports: Ports) -> Auth:
        return NoAuth()


class Carried(Declared):
    """A token in a header or in the query, not in both."""

    usual: ClassVar[Carrier] = BEARER
    header: Name | None = None
    scheme: StrictStr | None = None
    query: Name | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Carried:
        if self.query is not None and (self.header is not None or self.scheme is not None):
            raise ValueError("query 与 header、scheme 不能同时写：令牌只放在一处")
        return self

    @property
    def carrier(self) -> Carrier:
        return Carrier(self.header or self.usual.header, self.scheme, self.query)


class BearerModel(Carried):
    profile: Literal["bearer"]
    secret: Name = "token"  # noqa: S105 # the name of one

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        return (self.secret,)

    def make(self, ports: Ports) -> Auth:
        return Bearer(ports, self.secret, self.carrier)


class ApiKeyModel(Carried):
    usual: ClassVar[Carrier] = API_KEY
    secrets: ClassVar[tuple[str, ...]] = ("api_key",)
    profile: Literal["api_key"]

    def make(self, ports: Ports) -> Auth:
        return ApiKey(ports, self.carrier)


class LoginModel(Carried):
    secrets: ClassVar[tuple[str, ...]] = ("app_id", "app_secret")
    profile: Literal["login"]
    url: Address
    app_id: Name = LOGIN.app_id
    app_secret: Name = LOGIN.app_secret
    token: Name = LOGIN.token
    expires: Name = LOGIN.expires
    lifetime: int | None = Field(default=None, ge=120)
    """Seconds a token holds, where the answer does not say."""

    def make(self, ports: Ports) -> Auth:
        members = LoginMembers(self.app_id, self.app_secret, self.token, self.expires)
        lifetime = None if self.lifetime is None else timedelta(seconds=self.lifetime)
        return LoginBearer(ports, self.url, self.carrier, members, lifetime)


class BasicModel(Declared):
    secrets: ClassVar[tuple[str, ...]] = ("username", "password")
    profile: Literal["basic"]

    def make(self, ports: Ports) -> Auth:
        return Basic(ports)


class DigestModel(Declared):
    secrets: ClassVar[tuple[str, ...]] = ("username", "password")
    profile: Literal["digest"]

    def make(self, ports: Ports) -> Auth:
        return Digest(ports)


class GJModel(Declared):
    secrets: ClassVar[tuple[str, ...]] = ("app_key",)
    profile: Literal["gj"]
    base_url: Address
    rid: Annotated[StrictStr, Field(min_length=1)]
    sid: Annotated[StrictStr, Field(min_length=1)]
    prefix: Name = "gjgxjhpt_"
    sign_prefix: Name | None = None
    wrapper: Annotated[StrictStr, Field(pattern=r"^(\{[^{}\s]+\})?[A-Za-z_][\w.-]*$")] | None = None

    def make(self, ports: Ports) -> Auth:
        return GJ(
            ports,
            self.base_url,
            self.rid,
            self.sid,
            prefix=self.prefix,
            sign_prefix=self.sign_prefix,
            wrapper=self.wrapper,
        )


class ZJModel(Declared):
    secrets: ClassVar[tuple[str, ...]] = ("app_key", "app_secret")
    profile: Literal["zj"]
    base_url: Address
    place: Literal["headers", "query"] = "headers"

    def make(self, ports: Ports) -> Auth:
        return ZJ(ports, self.base_url, self.place)


class TIFModel(Declared):
    secrets: ClassVar[tuple[str, ...]] = ("paasid", "token")
    profile: Literal["tif"]

    def make(self, ports: Ports) -> Auth:
        return TIF(ports)


class XClientModel(Declared):
    secrets: ClassVar[tuple[str, ...]] = ("client_id", "token_secret")
    profile: Literal["xclient"]

    def make(self, ports: Ports) -> Auth:
        return XCLIENT(ports)


class Sha1ConcatModel(Declared):
    secrets: ClassVar[tuple[str, ...]] = ("app_key", "app_secret")
    profile: Literal["sha1_concat"]

    def make(self, ports: Ports) -> Auth:
        return Sha1Concat(ports)


class UsernameTokenModel(Declared):
    secrets: ClassVar[tuple[str, ...]] = ("username", "password")
    profile: Literal["username_token"]
    password: Literal["digest", "text"] = "digest"  # noqa: S105 # a form

    def make(self, ports: Ports) -> Auth:
        return UsernameToken(ports, self.password)


Signer: TypeAlias = Annotated[
    NoAuthModel
    | BearerModel
    | ApiKeyModel
    | LoginModel
    | BasicModel
    | DigestModel
    | GJModel
    | ZJModel
    | TIFModel
    | XClientModel
    | Sha1ConcatModel
    | UsernameTokenModel,
    Field(discriminator="profile"),
]


class MutualTlsModel(Declared):
    secrets: ClassVar[tuple[str, ...]] = ("client_cert", "client_key")
    profile: Literal["mutual_tls"]
    also: Signer = NoAuthModel(profile="none")
    """What the platform wants besides the certificate."""
    private_ca: bool = False

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        return (*self.secrets, *(["server_ca"] if self.private_ca else []), *self.also.secrets_needed)

    def make(self, ports: Ports) -> Auth:
        return MutualTls(ports, self.also.make, private_ca=self.private_ca)


AuthModel: TypeAlias = Annotated[Signer | MutualTlsModel, Field(discriminator="profile")]

PROFILES: Final[Mapping[str, type[Declared]]] = {
    get_args(model.model_fields["profile"].annotation)[0]: model
    for model in (*get_args(get_args(Signer)[0]), MutualTlsModel)
}


def make_auth(model: AuthModel, ports: Ports) -> Auth:
    """The profile that `auth:` declares, over an account's ports. Asks for no secret yet."""
    return model.make(ports)
