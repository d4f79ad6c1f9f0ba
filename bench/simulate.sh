#!/usr/bin/env bash
# bench/simulate.sh [SEEDS [FROM]]: simulates a pool of workers, an nginx, and a whole run in that many worlds each (default: a million from seed 1), one
# process per CPU, and prints the seeds that break a rule. test/simulation/simulate.ts WORLD --seed SEED replays one.
set -euo pipefail
cd "$(dirname "$0")/.."
./start.sh --npm-only
seeds=${1:-1000000}
from=${2:-1}
cpus=$(nproc)
share=$(((seeds + cpus - 1) / cpus))
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=none ;; esac
PATH=$PWD/node_modules/node-linux-$arch/bin:$PATH

running=()
for ((part = 0; part < cpus; part++)); do
  node test/simulation/simulate.ts --from $((from + part * share)) --seeds "$share" &
  running+=($!)
done
status=0
for pid in "${running[@]}"; do wait "$pid" || status=1; done
exit "$status"
