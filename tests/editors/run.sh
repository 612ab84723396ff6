#!/bin/bash
# Install the editors and drive them, three at a time: `make test-editors`. Arguments go to pytest.
#
#   PYTHON   the interpreter that has fimserver and the groups "test" and "editors" (default .venv/bin/python, made here)
set -euo pipefail
cd "$(dirname "$0")/../.."

# What needs no Python is unpacked while pip works.
tests/editors/install.sh terminal_editors chromium &
unpacking=$!
[ -n "${PYTHON:-}" ] || make --silent .venv/driven
export PYTHON=${PYTHON:-$PWD/.venv/bin/python}

status=0
wait $unpacking || status=$?
if [ $status = 3 ]; then
    echo "Only Debian-like Linux on x86-64 has the editors' packages: the editors are not driven here."
    exit 0
fi
[ $status = 0 ] || exit $status

export PATH=$PWD/.editors/bin:$PATH
tests/editors/install.sh node
tests/editors/install.sh code_server &
downloading=$!
(
    cd editors/vscode
    [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --silent
    npm run --silent check && npm test --silent && npm run --silent package
)
wait $downloading

# Each module has a home, ports and a browser of its own, and waits more than it works: three at a time fill two cores,
# in the order of conftest.py. What measures must have the machine for itself.
workers=3
[ -z "${FIMSERVER_FIGURES:-}" ] || workers=0
exec "$PYTHON" -m pytest tests/editors -m editors -n $workers --dist loadfile --no-loadscope-reorder "$@"
