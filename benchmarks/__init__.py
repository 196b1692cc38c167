"""Speed as a ratio against floors in the same run: `python -m benchmarks` (see README.md)."""
