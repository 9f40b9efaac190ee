#!/bin/sh
# Make the virtual environment. Debian's python3 comes without ensurepip: then the virtualenv package, fetched by pip into a folder of its own, does it.
set -eu
python=$1
venv=$2
[ -x "$venv/bin/python" ] && exit 0
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $("$python" --version) is here" >&2; exit 1; }
if "$python" -c 'import ensurepip' 2>/dev/null; then
    exec "$python" -m venv "$venv"
fi
rm -rf "$venv"
"$python" -m pip install --quiet --disable-pip-version-check --target .build/virtualenv virtualenv
PYTHONPATH=.build/virtualenv "$python" -m virtualenv --quiet "$venv"
