#!/bin/sh
# Runs uv: the machine's own, else a pinned one in the cache, which is installed first.
set -eu
version=0.13.9
cache="${TICKSTREAM_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/tickstream}/uv-$version"
if command -v uv > /dev/null 2>&1; then exec uv "$@"; fi
if [ ! -x "$cache/bin/uv" ]; then
    python=$(command -v python3 || command -v python) || { echo "python3 >= 3.11 is needed: install it with your system's packages" >&2; exit 1; }
    fresh="$cache.$$"
    trap 'rm -rf "$fresh"' EXIT
    echo "installing uv $version into $cache" >&2
    # A virtual environment needs ensurepip, which some systems package apart; pip alone will do.
    if "$python" -m venv "$fresh" > /dev/null 2>&1; then
        "$fresh/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$version"
    elif "$python" -m pip --version > /dev/null 2>&1; then
        rm -rf "$fresh"
        "$python" -m pip install --quiet --disable-pip-version-check --target "$fresh" "uv==$version"
    else
        echo "pip is needed to install uv: apt install python3-venv, or install uv yourself" >&2; exit 1
    fi
    mkdir -p "$(dirname "$cache")"
    # Another first run may have been quicker; its copy is as good.
    mv -T "$fresh" "$cache" 2> /dev/null || [ -x "$cache/bin/uv" ]
fi
exec "$cache/bin/uv" "$@"
