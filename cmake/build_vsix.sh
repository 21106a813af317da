#!/usr/bin/env bash
# Checks, tests and packages the VS Code extension into FILE. What that needs comes by npm, as pinned by the lock file of
# editors/vscode, into its node_modules; a second run finds it there.
#
#   cmake/build_vsix.sh VERSION FILE
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: build_vsix.sh VERSION FILE" >&2; exit 2; }
readonly root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly version="$1" file="$(realpath -m "$2")"

cd "$root/editors/vscode"
if ! cmp -s package-lock.json node_modules/installed.json; then
  echo "vsix: installing what editors/vscode pins (150 MB)"
  npm ci --ignore-scripts --silent
  cp package-lock.json node_modules/installed.json
fi
npm run --silent check
npm run --silent test
npm run --silent bundle
cp "$root/LICENSE" .
mkdir -p "$(dirname "$file")"
npx vsce package "$version" --no-dependencies --allow-missing-repository --no-update-package-json --out "$file"
