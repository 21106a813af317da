#!/bin/sh
# Trains the adapters that come with the default model, puts them into model/default/adapters, and measures them on the
# held-out code. An hour on two cores; goes on where it was stopped.
#   cmake/train_adapters.sh CORPUS WORK
# CORPUS: what cmake/fetch_corpus.py made. WORK: lessons, checkpoints and reports.
set -eu
[ $# = 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
weft=$root/build/release/bin/weft
corpus=$1
work=$2
export OMP_WAIT_POLICY=passive

packages() {
  for package in "$@"; do echo "$corpus/train/$package"; done
}

adapter() {  # TASK OPTIONS...
  task=$1
  shift
  "$weft" train "$task" --out "$work/$task" --preset balanced --learning-rate 0.002 "$@"
  into=$root/model/default/adapters/$task
  mkdir -p "$into"
  cp "$work/$task/adapter_config.json" "$work/$task/adapter_model.safetensors" "$into"
}

# The held-out concepts show whether the model has learnt more than the lessons.
[ -d "$work/lessons" ] || "$weft" data lessons --out "$work/lessons" --count 12000 --hold-out product:3,difference:2

# shellcheck disable=SC2046  # names of packages have no blanks
adapter function-from-comment --data "$work/lessons" $(packages click attrs packaging tomlkit) \
  --rank 32 --max-steps 480 --max-epochs 20 --evaluate-every-steps 40 --max-held-out 200
