"""Owns staff sessions, organisations and their settings, the Campaign aggregate, the REST API."""
