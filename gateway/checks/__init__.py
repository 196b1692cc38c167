"""`check`: layer by layer from the configuration to one mapped row and the duty it serves, each with what to do (DESIGN §10)."""

from gateway.checks.layers import check_feed

__all__ = ["check_feed"]
