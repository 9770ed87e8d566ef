#!/usr/bin/env bash
# What needs a GPU. Results go to $OUT, ./gpu-results by default.
#   run.sh step          times of a training step: both encoders, eager and compiled, bf16 and fp32
#   run.sh train DATA    from scratch on Kvasir-SEG with gaze: full, gazemedseg, gradtrack; more arguments go to kvasir.py
# DATA is a folder of images/, masks/, fit.txt, val.txt and the fixation CSV, as benchmarks/kvasir.py takes it.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHONPATH=".:benchmarks${PYTHONPATH:+:$PYTHONPATH}"
out=${OUT:-gpu-results}
mkdir -p "$out"
task=${1:?"step or train"}
shift
case $task in
  step) python benchmarks/bench_step.py --json "$out/step.json" "$@" | tee "$out/step.txt" ;;
  train)
    data=${1:?"the folder of the data"}
    shift
    python benchmarks/kvasir.py --data "$data" --out "$out/kvasir" --preset gazemedseg --steps 15000 --seeds 1 \
      --rows 'full;gazemedseg;gradtrack' "$@"
    ;;
  *) echo "run.sh: $task is neither step nor train" >&2; exit 2 ;;
esac
