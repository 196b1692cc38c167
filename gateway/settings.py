"""Process settings, by option or environment (`SHUQIAO_…`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where a process finds its configuration and data, and how it speaks."""

    model_config = SettingsConfigDict(env_prefix="SHUQIAO_", extra="ignore")

    config: Path = Path("config")
    data: Path = Path("var")
    store: str | None = None
    """An SQLAlchemy URL that outranks gateway.yaml."""
    lang: Literal["zh", "en"] = "zh"
    log: Literal["debug", "info", "warning", "error"] = "info"
