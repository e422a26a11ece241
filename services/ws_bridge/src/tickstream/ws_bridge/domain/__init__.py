"""What the bridge decides, without I/O and without a clock."""
