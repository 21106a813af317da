#!/bin/sh
# Trains the adapters that come with the default model for its present weights, puts them into model/default/adapters, and
# measures them on the held-out packages. Each goes on from the one that is there, which belongs to earlier weights: half an
# hour on two cores. With --fresh they begin with nothing, in an hour and a half. Goes on where it was stopped.
#   cmake/train_adapters.sh [--fresh] CORPUS WORK
# CORPUS: what cmake/fetch_corpus.py made. WORK: lessons, checkpoints and reports.
set -eu
fresh=
[ "${1-}" = --fresh ] && { fresh=yes; shift; }
[ $# = 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
weft=$root/build/release/bin/weft
shipped=$root/model/default/adapters
corpus=$1
work=$2
export OMP_WAIT_POLICY=passive

lessons() {  # SEED. What is held out shows whether the model has learnt more than the lessons.
  [ -d "$work/lessons-$1" ] ||
    "$weft" data lessons --out "$work/lessons-$1" --seed "$1" --count 24000 --hold-out product:3,difference:2
}

train() {  # TASK NAME OPTIONS...
  task=$1
  name=$2
  shift 2
  "$weft" train "$task" --out "$work/$name" --preset balanced --batch-tokens 4096 "$@"
}

# Goes on from an adapter: the learning rate rises anew, so that the loss does too for a while.
train_on() {  # TASK NAME FROM OPTIONS...
  task=$1
  name=$2
  from=$3
  shift 3
  train "$task" "$name" --from "$from" --learning-rate 0.001 --patience 100 "$@"
}

ship() {  # TASK
  mkdir -p "$shipped/$1"
  cp "$work/$1/adapter_config.json" "$work/$1/adapter_model.safetensors" "$shipped/$1"
  "$weft" eval "$1" --adapter "$shipped/$1" --data "$corpus/heldout"
}

packages() {
  for package in "$@"; do echo "$corpus/train/$package"; done
}

# shellcheck disable=SC2046,SC2086  # names of packages have no blanks
{
  lessons 1
  lessons 2
  real=$(packages networkx click requests flask rich)
  if [ "$fresh" ]; then
    first=$work/first
    train function-from-comment first/function-from-comment --data "$work/lessons-1" $(packages click packaging) \
      --rank 32 --learning-rate 0.002 --max-steps 1500 --max-epochs 20 --evaluate-every-steps 100 --max-held-out 160
    train bug-detection first/bug-detection --data "$work/lessons-1" \
      --learning-rate 0.002 --max-steps 300 --evaluate-every-steps 25 --max-held-out 300
    train refactor first/refactor --data "$work/lessons-1" $real \
      --learning-rate 0.002 --max-steps 100 --evaluate-every-steps 50 --max-held-out 100
  else
    first=$work/shipped  # as they were before this run
    [ -d "$first" ] || cp -r "$shipped" "$first"
  fi
  train_on function-from-comment function-from-comment "$first/function-from-comment" --data "$work/lessons-2" \
    $(packages click packaging) --max-steps 450 --max-epochs 20 --evaluate-every-steps 90 --max-held-out 80
  ship function-from-comment

  train_on bug-detection bug-detection "$first/bug-detection" --data "$work/lessons-1" $real \
    --max-steps 300 --evaluate-every-steps 100 --max-held-out 300
  ship bug-detection
  # What lessons calibrate is too low for real code, see DATA_CARD.md.
  sed -i 's/"threshold": [0-9.]*/"threshold": 0.95/' "$shipped/bug-detection/adapter_config.json"

  train_on refactor refactor "$first/refactor" --data "$work/lessons-1" $real \
    --max-steps 100 --evaluate-every-steps 50 --max-held-out 100
  ship refactor
}
