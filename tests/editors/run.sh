#!/bin/bash
# Install the editors and drive them, two at a time: `make test-editors`. Arguments go to pytest.
#
#   PYTHON   the interpreter in which fimserver is installed (default .venv/bin/python)
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHON=${PYTHON:-$PWD/.venv/bin/python}
"$PYTHON" -m pip install --quiet --disable-pip-version-check --group editors

status=0
tests/editors/install.sh || status=$?
if [ $status = 3 ]; then
    echo "Only Debian-like Linux on x86-64 has the editors' packages: the editors are not driven here."
    exit 0
fi
[ $status = 0 ] || exit $status

export PATH=$PWD/.editors/bin:$PATH
(
    cd editors/vscode
    [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --silent
    npm run --silent check && npm test --silent && npm run --silent package
)

# Each module has a home, ports and a browser of its own. What measures must have the machine for itself.
workers=2
[ -z "${FIMSERVER_FIGURES:-}" ] || workers=0
exec "$PYTHON" -m pytest tests/editors -m editors -n $workers --dist loadfile "$@"
