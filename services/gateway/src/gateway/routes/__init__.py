"""The REST API: each path's shape and its handler."""
