"""What every service stands on: broker, outbox, retries, settings, logs, metrics, health.

There is no business word in it.
"""
