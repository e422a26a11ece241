"""`tickstream bench`: what it costs, beside what a user would take instead, in one run."""
