"""The container's health check: exit 0 when `/healthz` answers. A slim image has no curl."""

import os
import sys
import urllib.error
import urllib.request

PORT = os.environ.get("TEXTMANAGER_HTTP_PORT", "8080")

try:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=2):
        sys.exit(0)
except (OSError, urllib.error.URLError) as error:
    sys.exit(f"/healthz does not answer: {error}")
