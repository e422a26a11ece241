"""Rules over what was recorded: what would have fired, and why."""
