"""Mock agencies."""
