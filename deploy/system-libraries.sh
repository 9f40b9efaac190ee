#!/bin/sh
# MediaPipe and OpenCV load these from the system, even on a machine without a screen. Installs them where that is possible, else says how.
set -eu
[ "$(uname -s)" = Linux ] || exit 0
packages="libegl1 libgles2 libgl1 libglib2.0-0"
missing=""
for library in libEGL.so.1 libGLESv2.so.2 libGL.so.1 libgthread-2.0.so.0; do
    /sbin/ldconfig -p 2>/dev/null | grep -q "$library" || missing="$missing $library"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing system libraries:$missing"
    # Two commands, not `a && b`: there, `set -e` would overlook a failure of the first.
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    exit 0
fi
echo "missing system libraries:$missing" >&2
echo "install them as root, then run make again:  apt-get update && apt-get install -y --no-install-recommends $packages" >&2
exit 1
