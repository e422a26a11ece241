"""The ws_bridge service."""
