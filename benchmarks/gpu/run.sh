#!/usr/bin/env bash
# What needs a GPU. Results go to $OUT, ./gpu-results by default.
#   run.sh check         training on the GPU is right, and no step waits for it
#   run.sh step          times of a training step: both encoders, eager, compiled, and with CUDA graphs; bf16 and fp32
#   run.sh train DATA    from scratch on Kvasir-SEG with gaze, side by side: full, gazemedseg, gradtrack (or $ROWS); more
#                        arguments go to kvasir.py
# DATA is a folder of images/, masks/, fit.txt, val.txt and the fixation CSV, as benchmarks/kvasir.py takes it.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHONPATH=".:benchmarks${PYTHONPATH:+:$PYTHONPATH}"
out=${OUT:-gpu-results}
mkdir -p "$out"
task=${1:?"check, step or train"}
shift
case $task in
  check) python benchmarks/gpu/check.py --json "$out/check.json" "$@" | tee "$out/check.txt" ;;
  step) python benchmarks/bench_step.py --json "$out/step.json" "$@" | tee "$out/step.txt" ;;
  train)
    data=${1:?"the folder of the data"}
    shift
    study() {
      python benchmarks/kvasir.py --data "$data" --out "$out/kvasir" --preset gazemedseg --steps 15000 --seeds 1 "$@"
    }
    IFS=';' read -ra rows <<<"${ROWS:-full;gazemedseg;gradtrack}"
    # One process a method: each alone leaves a large GPU waiting for the next operation now and then.
    running=()
    for row in "${rows[@]}"; do
      study --rows "$row" "$@" >"$out/$row.txt" 2>&1 &
      running+=($!)
      sleep "${STAGGER:-5}" # the first one converts the gaze for all
    done
    failed=0
    for one in "${running[@]}"; do wait "$one" || failed=1; done
    for row in "${rows[@]}"; do cat "$out/$row.txt"; done
    [ "$failed" = 0 ] || exit 1
    study --rows "${ROWS:-full;gazemedseg;gradtrack}" "$@"
    ;;
  *) echo "run.sh: $task is none of check, step, train" >&2; exit 2 ;;
esac
