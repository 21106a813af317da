#!/bin/sh
# Runs run.ts with the Node that comes with the workbench in the folder given as the first argument. No workbench: the
# tests fail, they are not skipped.
tools="$1"
shift
node="$(echo "$tools"/node_modules/node-linux-*/bin/node)"
if [ ! -x "$node" ]; then
  echo "no workbench in $tools: run cmake/fetch_vscode.sh (make e2e does)" >&2
  exit 1
fi
exec "$node" --no-warnings "$(dirname "$0")/run.ts" --tools "$tools" "$@"
