#!/bin/sh
# What a container runs: the service that its image was built for, or the words after the image's
# name, as in `docker run textmanager run sender`.
set -eu
if [ "$#" -eq 0 ]; then
    set -- run "${TEXTMANAGER_SERVICE:?is empty: name a service, as in docker run IMAGE run sender}"
fi
exec python -m textmanager "$@"
