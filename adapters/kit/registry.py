"""Adapters by name, loaded when asked for: name = module = id."""

from __future__ import annotations

import importlib
import pkgutil

import adapters
from adapters.kit.base import Adapter


def names() -> list[str]:
    """Every adapter there is, without importing any."""
    return sorted(module.name for module in pkgutil.iter_modules(adapters.__path__) if not module.ispkg)


def find(name: str) -> type[Adapter]:
    """The adapter of this name.

    Raises:
        ValueError: there is none; says which there are.
    """
    if name not in names():
        raise ValueError(f"没有名为 {name} 的适配器。可用的有：{'、'.join(names())}")
    module = importlib.import_module(f"adapters.{name}")
    own = (kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__)
    found = next((kind for kind in own if issubclass(kind, Adapter)), None)
    if found is None:
        raise ValueError(f"adapters/{name}.py 没有定义 Adapter 子类")
    return found
