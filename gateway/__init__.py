"""The gateway: schedules feeds, keeps what they bring, and delivers it to a chain with proof (ARCHITECTURE.md)."""
