"""Gates before the tools of agent frameworks. Each module needs the extra of its name."""
