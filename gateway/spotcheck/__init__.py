"""抽样核查: what is checked on the spot, what the team found, and how far the data are right (ADR 0020)."""

from gateway.spotcheck.checks import Answer, Drawn, Measured, SpotChecks, Taken, accuracy_of

__all__ = ["Answer", "Drawn", "Measured", "SpotChecks", "Taken", "accuracy_of"]
