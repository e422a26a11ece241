#!/bin/sh
# Makes sure that a Chromium is there for the browser tests.
set -eu
for name in chromium chromium-browser google-chrome; do
    command -v "$name" > /dev/null 2>&1 && exit 0
done
if command -v apt-get > /dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "installing Chromium for the browser tests" >&2
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium > /dev/null
    exit 0
fi
# Playwright's own build, where its download is reachable.
exec tools/uv.sh run --frozen --no-sync playwright install chromium
