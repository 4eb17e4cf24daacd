"""Consent: who may be texted by which number."""
