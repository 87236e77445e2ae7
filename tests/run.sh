#!/usr/bin/env bash
# Sets up a machine (Debian or Ubuntu) and runs all tests: `bash tests/run.sh [pytest options]`.
# As root it installs the system packages that the tests use; otherwise it names what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(libegl1 libgl1-mesa-dri chromium python3-venv)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
done
if ((${#missing[@]})); then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "not installed, tests that need them are skipped: ${missing[*]}" >&2
  fi
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install -q -r tests/requirements.txt
.venv/bin/python -m pytest "$@"
