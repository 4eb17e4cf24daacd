"""Owns the timers: when which campaign is due."""
