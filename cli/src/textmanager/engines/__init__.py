"""The embedded engines: a real Apache Kafka and a real Valkey, without Docker."""
