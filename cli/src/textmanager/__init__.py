"""The command line: up, run, status, demo, audit."""
