#!/bin/sh
# Runs run.lua inside the Neovim given as the first argument. No Neovim: the tests fail, they are not skipped.
nvim="$1"
shift
if [ ! -x "$nvim" ]; then
  echo "no Neovim at $nvim: run cmake/fetch_neovim.sh (make setup does)" >&2
  exit 1
fi
exec "$nvim" --headless --clean -l "$(dirname "$0")/run.lua" --nvim "$nvim" "$@"
