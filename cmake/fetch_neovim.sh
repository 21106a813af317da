#!/usr/bin/env bash
# Gets a real Neovim for the editor tests into DIR (default: .deps/neovim) without touching the system, and prints the
# path of its nvim. The machine's own nvim serves where it is new enough; else Debian sid's is unpacked into DIR with
# the libraries it needs, through a private apt configuration, so that every package is verified by Debian's signature.
# What was unpacked is listed with its sha256 in DIR/manifest. A second run checks what is there and does nothing.
#
#   cmake/fetch_neovim.sh [DIR]
set -euo pipefail

# vim.lsp.inline_completion came with this version.
readonly wanted_major=0 wanted_minor=12
readonly root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly prefix="$(realpath -m "${1:-$root/.deps/neovim}")"
work=

say() { printf 'neovim: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# version_of NVIM: "0.12.4", or nothing where it does not run.
version_of() { "$1" --version 2>/dev/null | sed -n '1s/^NVIM v\([0-9]*\.[0-9]*\.[0-9]*\).*/\1/p' || true; }

# is_new_enough VERSION
is_new_enough() {
  local major minor
  IFS=. read -r major minor _ <<<"$1"
  [[ -n ${minor:-} ]] && ((major > wanted_major || (major == wanted_major && minor >= wanted_minor)))
}

# finish NVIM: the last word on what was found. The path is the only thing on stdout.
finish() {
  local version
  version="$(version_of "$1")"
  [[ -n $version ]] || fail "$1 does not run"
  is_new_enough "$version" || fail "found $version, need $wanted_major.$wanted_minor or newer"
  say "$version at $1"
  printf '%s\n' "$1"
}

# debian_source: a source line for sid from the machine's own Debian archive, whatever format it is written in.
debian_source() {
  local uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  uri="$(apt-get indextargets --no-release-info --format '$(CREATED_BY) $(COMPONENT) $(RELEASE) $(REPO_URI)' |
    awk '$1 == "Packages" && $2 == "main" && $3 !~ /-/ && $4 ~ /debian\/?$/ { print $4; exit }')"
  [[ -n $uri ]] || fail "apt has no Debian archive among its sources; install Neovim 0.12 or newer by hand and put it on PATH"
  [[ -r $keyring ]] || fail "$keyring is missing: install debian-archive-keyring"
  printf 'deb [signed-by=%s] %s sid main\n' "$keyring" "$uri"
}

# write_apt_conf DIR: an apt that reads and writes nothing of the system's but its proxy settings.
write_apt_conf() {
  mkdir -p "$1"/{lists/partial,archives/partial,debs,none}
  debian_source >"$1/sources.list"
  : >"$1/status"
  cat >"$1/apt.conf" <<CONF
Dir::State "$1";
Dir::State::Lists "$1/lists";
Dir::State::status "$1/status";
Dir::State::extended_states "$1/extended_states";
Dir::Cache "$1";
Dir::Cache::archives "$1/archives";
Dir::Etc::SourceList "$1/sources.list";
Dir::Etc::SourceParts "$1/none";
Dir::Etc::Preferences "$1/none/preferences";
Dir::Etc::PreferencesParts "$1/none";
APT::Sandbox::User "$(id -un)";
APT::Install-Recommends "0";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "1";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::NeverAutoRemove;
CONF
}

# bind_libraries NEW: writes the place of its own loader and libraries, as they will be under the prefix, into the
# unpacked nvim. (Started through the loader instead, it could not start itself again, as its terminal front does.)
bind_libraries() {
  local triplet loader libraries
  triplet="$(basename "$(dirname "$(echo "$1"/tree/usr/lib/*/libc.so.6)")")"
  loader="$(cd "$1" && ls -d tree/usr/lib/"$triplet"/ld-linux*.so.? 2>/dev/null | head -n 1)"
  [[ -n $loader ]] || fail "libc6 has no loader under usr/lib/$triplet"
  libraries="tree/usr/lib/$triplet"
  "$1/$loader" --library-path "$1/$libraries" "$1/tree/usr/bin/patchelf" --set-interpreter "$prefix/$loader" \
    --force-rpath --set-rpath "$prefix/$libraries" "$1/tree/usr/bin/nvim"
}

# write_wrapper NEW: nvim with its own runtime files.
write_wrapper() {
  mkdir -p "$1/bin"
  cat >"$1/bin/nvim" <<'WRAPPER'
#!/bin/sh
here="$(cd "$(dirname "$0")/.." && pwd)"
VIMRUNTIME="$here/tree/usr/share/nvim/runtime" exec "$here/tree/usr/bin/nvim" "$@"
WRAPPER
  chmod +x "$1/bin/nvim"
}

unpack_from_debian() {
  local apt deb packages
  mkdir -p "$(dirname "$prefix")"
  work="$(mktemp -d "$prefix.partial.XXXXXX")"
  trap 'rm -rf "$work"' EXIT
  write_apt_conf "$work/apt"
  apt="$work/apt/apt.conf"
  say "reading Debian sid's package list"
  apt-get -qq -c "$apt" update >&2
  packages="$(apt-get -c "$apt" install --simulate neovim patchelf | awk '$1 == "Inst" { print $2 }')"
  [[ -n $packages ]] || fail "apt resolved nothing for neovim"
  say "downloading" $packages
  # shellcheck disable=SC2086 # one word a package
  (cd "$work/apt/debs" && apt-get -qq -c "$apt" download $packages >&2)
  mkdir -p "$work/new/tree"
  for deb in "$work"/apt/debs/*.deb; do
    dpkg -x "$deb" "$work/new/tree"
  done
  (cd "$work/apt/debs" && sha256sum -- *.deb) >"$work/new/manifest"
  bind_libraries "$work/new"
  write_wrapper "$work/new"
  rm -rf "$prefix"
  mv "$work/new" "$prefix"  # whole or not at all
}

link_own() {
  mkdir -p "$prefix/bin"
  ln -sf "$1" "$prefix/bin/nvim"
}

if ! is_new_enough "$(version_of "$prefix/bin/nvim")"; then
  own="$(command -v nvim || true)"
  if [[ -n $own ]] && is_new_enough "$(version_of "$own")"; then
    link_own "$own"
  else
    command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
      fail "no apt here: install Neovim $wanted_major.$wanted_minor or newer by hand and put it on PATH"
    unpack_from_debian
  fi
fi
finish "$prefix/bin/nvim"
