"""Who is told of an alert, how, and why, or why not; without I/O, and with the time passed in."""
