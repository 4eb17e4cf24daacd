#!/bin/sh
# Installs what one image needs, and nothing else, into a virtual environment:
#
#     deploy/install.sh TARGET            every service, and the command line
#     deploy/install.sh TARGET sender     that service and what it stands on
#
# Each package has the version and one of the hashes that requirements.lock says. The Dockerfile
# calls this; it works outside of one too. It needs uv on the path.
set -eu

target=$1
service=${2:-}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -n "$service" ]; then
    if [ ! -f "services/$service/pyproject.toml" ]; then
        echo "There is no service '$service': the services are $(ls services | tr '\n' ' ')." >&2
        exit 1
    fi
    wanted="services/$service/pyproject.toml"
    services="services/$service"
    tools=""
else
    wanted=$(ls services/*/pyproject.toml)
    services=$(ls -d services/*/)
    # What the command line itself loads. Its other needs are for embedded engines, which an
    # image has no use for: a Java, a Valkey and what fetches Kafka's jars.
    tools="psutil rich typer"
fi

# The workspace's own packages are built below, so they have no place among the pinned ones.
not_members=$(sed -n 's/^name = "\(.*\)"$/--no-emit-package \1/p' \
    contracts/pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml cli/pyproject.toml)

# Cuts out of the lock what the given project files or names need: versions and hashes stay.
pin() {
    output=$1
    shift
    cp requirements.lock "$output"
    # shellcheck disable=SC2086
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --no-header --no-emit-index-url $not_members "$@" --output-file "$output" >/dev/null
    if grep -vxFf requirements.lock "$output" | grep -q '[^ ]'; then
        echo "requirements.lock does not pin all that is needed: run make lock." >&2
        exit 1
    fi
}

printf '%s\n' $tools >"$work/tools.in"
echo hatchling >"$work/backend.in"
# shellcheck disable=SC2086
pin "$work/packages.txt" $wanted "$work/tools.in"
pin "$work/backend.txt" "$work/backend.in"

uv venv --quiet --clear "$work/backend"
uv pip sync --quiet --python "$work/backend/bin/python" --require-hashes "$work/backend.txt"
# Wheels, so that the image holds no source tree. The command line comes along in every image,
# because it is what runs a service; alone it loads nothing but the standard library.
for member in contracts libs/*/ $services cli; do
    uv build --quiet --wheel --no-build-isolation --python "$work/backend/bin/python" \
        --out-dir "$work/wheels" "$member"
done

uv venv --quiet --clear "$target"
uv pip sync --quiet --python "$target/bin/python" --require-hashes "$work/packages.txt"
uv pip install --quiet --python "$target/bin/python" --no-deps "$work"/wheels/*.whl
