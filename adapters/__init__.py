"""Agency adapters: one short file a source, all built on `adapters.kit`."""
