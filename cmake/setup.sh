#!/usr/bin/env bash
# Brings a fresh Debian 12 machine to where weft builds and its tests run: system packages, the venv with LibTorch, the
# grammars' sources, and a Neovim for the end-to-end tests. Every step looks first and does nothing where its work is
# there already, so that a second run takes a second. All but the system packages goes below .deps/ (or WEFT_DEPS).
#
#   cmake/setup.sh [cpu | cuda]    cuda: also the CUDA build of LibTorch (5 GB) and, where the machine has no CUDA 13, its
#                                  compiler nvcc; for `make check-cuda`
set -euo pipefail

source_dir=$(cd "$(dirname "$0")/.." && pwd)
deps=${WEFT_DEPS:-$source_dir/.deps}
torch_version=2.13.0
cuda_torch_version=2.14.1
cuda_version=13.0  # that cuda_torch_version was built with
nvcc_packages=(nvidia-cuda-nvcc nvidia-cuda-crt nvidia-nvvm nvidia-cuda-cccl nvidia-cuda-runtime)
system_packages=(
  g++ cmake ninja-build make ccache mold python3 python3-venv
  libboost1.81-dev libboost-context1.81-dev nlohmann-json3-dev libsentencepiece-dev libpcre2-dev libicu-dev
  libspdlog-dev libfmt-dev libcli11-dev
  libgtest-dev libgmock-dev librapidcheck-dev clang-format
)

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# The system packages that are missing, one a line. A node and an npm from elsewhere serve as well as Debian's.
missing_packages() {
  for package in "${system_packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | cut -c1-2)" = ii ] || echo "$package"
  done
  command -v node >/dev/null || echo nodejs
  command -v npm >/dev/null || echo npm
}

install_system_packages() {
  command -v dpkg-query >/dev/null || {
    say "no Debian packages here: install the counterparts of ${system_packages[*]} nodejs npm yourself"
    return
  }
  local -a missing as_root=()
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || { say "system packages: all there"; return; }
  if [ "$(id -u)" -ne 0 ]; then
    if ! { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; then
      fail "system packages are missing and this is neither root nor a sudo without a password. Run:
    sudo apt-get install --no-install-recommends ${missing[*]}
then start again."
    fi
    as_root=(sudo -n)
  fi
  say "system packages: installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq || say "apt-get update had errors; going on with the lists that are there"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >"$deps/apt.log" 2>&1 || { tail -n 20 "$deps/apt.log" >&2; fail "apt-get install failed"; }
}

# has_package VENV NAME VERSION: a look at the folder names, since starting python and importing torch takes seconds.
has_package() { compgen -G "$1/lib/python3*/site-packages/$2-$3*.dist-info" >/dev/null; }

# install_venv VENV TORCH-VERSION: LibTorch is what the torch wheel carries.
install_venv() {
  local venv=$1 version=$2
  if has_package "$venv" torch "$version"; then
    say "$(basename "$venv"): torch $version is there"
    return
  fi
  say "$(basename "$venv"): installing torch $version (minutes, 1 GB or more)"
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --progress-bar off "torch==$version" >"$deps/pip.log" 2>&1 ||
    { tail -n 20 "$deps/pip.log" >&2; fail "pip could not install torch $version into $venv"; }
}

# install_nvcc VENV: the CUDA compiler, where the machine's own is missing or of another release.
install_nvcc() {
  local venv=$1
  if command -v nvcc >/dev/null && nvcc --version | grep -q "release ${cuda_version%%.*}\."; then
    say "nvcc: the machine's own"
    return
  fi
  if has_package "$venv" nvidia_cuda_nvcc "$cuda_version"; then
    say "nvcc: $cuda_version is in $(basename "$venv")"
    return
  fi
  say "nvcc: installing $cuda_version into $(basename "$venv")"
  "$venv/bin/python" -m pip install --quiet --progress-bar off "${nvcc_packages[@]/%/==$cuda_version.*}" \
    >"$deps/pip.log" 2>&1 || { tail -n 20 "$deps/pip.log" >&2; fail "pip could not install nvcc into $venv"; }
  for toolkit in "$venv"/lib/python3*/site-packages/nvidia/cu13; do
    ln -sfn lib "$toolkit/lib64"  # where nvcc.profile looks; the wheels have lib
  done
}

install_grammars() {
  local pins=$source_dir/cmake/grammars target=$deps/grammars
  if cmp -s "$pins/package-lock.json" "$target/installed.json"; then
    say "grammars: as pinned"
    return
  fi
  say "grammars: installing what cmake/grammars pins"
  mkdir -p "$target"
  cp "$pins/package.json" "$pins/package-lock.json" "$pins/.npmrc" "$target/"
  (cd "$target" && npm ci --ignore-scripts --silent) || fail "npm ci failed in $target"
  cp "$pins/package-lock.json" "$target/installed.json"
}

mkdir -p "$deps"
case ${1:-cpu} in
  cpu | cuda) ;;
  *) fail "unknown argument $1: cpu or cuda" ;;
esac
install_system_packages
install_venv "$deps/venv" "$torch_version"
if [ "${1:-cpu}" = cuda ]; then
  install_venv "$deps/venv-cuda" "$cuda_torch_version"
  install_nvcc "$deps/venv-cuda"
fi
install_grammars
"$source_dir/cmake/fetch_neovim.sh" "$deps/neovim" >/dev/null ||
  say "no Neovim 0.12 or newer to be had: the Neovim tests will fail until there is one"
say "done"
