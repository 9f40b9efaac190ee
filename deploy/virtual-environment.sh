#!/bin/sh
# Make the virtual environment. Debian's python3 comes without ensurepip: then the virtualenv package, fetched by pip into a folder of its own, does it.
set -eu
python=$1
venv=$2
# Asked for pip, not for python alone: an interrupted run leaves the one without the other.
"$venv/bin/python" -c 'import pip' 2>/dev/null && exit 0
command -v "$python" >/dev/null || { echo "$python is not here; name a Python 3.11 to 3.13:  make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || {
    echo "Python 3.11 to 3.13 is needed, $python is $("$python" --version 2>&1); name another:  make PYTHON=/path/to/python3.11 ..." >&2
    exit 1
}
echo "making the virtual environment $venv"
rm -rf "$venv"
if "$python" -c 'import ensurepip' 2>/dev/null; then
    exec "$python" -m venv "$venv"
fi
"$python" -m pip --version >/dev/null 2>&1 || { echo "$python has neither ensurepip nor pip; as root:  apt-get install python3-pip" >&2; exit 1; }
# The warning against pip as root does not apply to a folder of our own; with --app-data nothing is left in the home of whoever runs this.
"$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .build/virtualenv --upgrade virtualenv
PYTHONPATH=.build/virtualenv "$python" -m virtualenv --quiet --app-data .build/virtualenv-data "$venv"
