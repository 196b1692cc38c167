"""What every file of `config/` is made of."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr


def _county(value: str) -> str:
    if not re.fullmatch(r"\d{6}", value):
        raise ValueError("请写六位区划代码，如 “360981”")
    return value


CountyCode = Annotated[StrictStr, AfterValidator(_county)]
FeedKey = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]


class Strict(BaseModel):
    """Knows what it knows: an unknown key is an error with its place."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretRef(Strict):
    """Where a secret is; never the secret."""

    env: StrictStr | None = None
    file: StrictStr | None = None
    credential: StrictStr | None = None
    """A systemd credential (`LoadCredential=`)."""
