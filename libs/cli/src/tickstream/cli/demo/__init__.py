"""`tickstream demo`: servers, services, a replayed session and the dashboard, started and ended together."""
