"""Sources that a county's file describes in full: what `datasets` and `auth` may say is what the kit's streams and profiles know."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar

from pydantic import AfterValidator, Field

from adapters.kit.auth import Auth, AuthModel, make_auth
from adapters.kit.auth.declared import NoAuthModel
from adapters.kit.base import Adapter, SourceSettings, Stream
from adapters.kit.rest import WebAdapter
from adapters.kit.values import DatasetName

S = TypeVar("S", bound=Stream)


def _coherent(stream: S) -> S:
    """What no single field of a stream can tell."""
    if getattr(stream, "since", None) is not None and stream.source_time is None:
        raise ValueError("写了 since（按更新时间增量读），还要写 source_time（哪一列是更新时间）")
    if getattr(stream, "since", None) is not None and stream.snapshot:
        raise ValueError("一个接口要么按更新时间增量读（since），要么每次给全量（snapshot），不能都写")
    return stream


Datasets: TypeAlias = Annotated[Mapping[DatasetName, Annotated[S, AfterValidator(_coherent)]], Field(min_length=1)]
"""dataset -> its stream, in the words of the stream's own fields."""


class DeclaredSettings(SourceSettings):
    """What a file may say of a source that has no Python of its own. Subclasses add `datasets`."""

    beyond: ClassVar[str] = "声明写不出来的，请写适配器，见 docs/adding-an-agency.md"


class SignedSettings(DeclaredSettings):
    """A source behind HTTP: how its calls are signed."""

    auth: AuthModel = NoAuthModel(profile="none")

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        return self.auth.secrets_needed


class DeclaredAdapter(Adapter):
    """An adapter whose streams are those of its settings."""

    @classmethod
    def offered(cls, settings: Any) -> Mapping[str, Any]:
        streams: Mapping[str, Any] = settings.datasets
        return streams


class DeclaredWebAdapter(DeclaredAdapter, WebAdapter):
    """One that signs as its settings say."""

    @cached_property
    def auth(self) -> Auth:
        return make_auth(self.settings.auth, self.ports)  # type: ignore[attr-defined] # of `SignedSettings`
