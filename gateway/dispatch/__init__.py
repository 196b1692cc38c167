"""Carrying out runs: the port (`Dispatcher`), the embedded engine (threads), and what one run does."""

from gateway.dispatch.again import Rerunner
from gateway.dispatch.base import Dispatcher
from gateway.dispatch.execute import Executor, Outcome
from gateway.dispatch.threads import ThreadDispatcher

__all__ = ["Dispatcher", "Executor", "Outcome", "Rerunner", "ThreadDispatcher"]
