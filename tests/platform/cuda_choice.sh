#!/usr/bin/env bash
# What WHORL_CUDA decides, with a driver and a compiler that only answer questions: nothing is compiled here.
set -euo pipefail
root=${WHORL_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/decide.cmake" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
include(${ROOT}/cmake/WhorlCuda.cmake)
whorl_decide_cuda(list reason)
list(JOIN list "," list)
message(NOTICE "<${list}> ${reason}")
CMAKE

tool() {  # tool NAME BODY: a program that runs this shell code
    printf '#!/bin/sh\n%s\n' "$2" >"$scratch/$1"
    chmod +x "$scratch/$1"
}
nvcc() {  # nvcc VERSION CODES
    tool nvcc "case \$1 in --version) echo 'release $1, V$1' ;; --list-gpu-code) printf '%s\\n' $2 ;; esac"
}
nvidia_smi() { tool nvidia-smi "$1"; }

failures=0
expect() {  # expect WANTED -DOPTION…
    local wanted=$1 found
    shift
    found=$(CUDACXX=$scratch/nvcc cmake -DROOT="$root" "-DWHORL_NVIDIA_SMI=$scratch/nvidia-smi" "$@" \
        -P "$scratch/decide.cmake" 2>&1) || found="failed: $found"
    if [[ $found != $wanted ]]; then
        echo "with $*: $found, not $wanted"
        failures=$((failures + 1))
    fi
}

nvcc 12.9 "sm_75 sm_80 sm_86 sm_90"
nvidia_smi 'echo 9.0'
expect '<80-virtual,90-real> ' -DWHORL_CUDA=AUTO
expect '<80-virtual,90-real> ' -DWHORL_CUDA=ON
expect '<> WHORL_CUDA is OFF' -DWHORL_CUDA=OFF
expect '<75,86-real> ' -DWHORL_CUDA=AUTO '-DWHORL_CUDA_ARCHITECTURES=75;86-real'
nvidia_smi 'printf "8.6\r\n8.6\n8.0\n7.5\n"'
expect '<80-virtual,86-real,80-real> ' -DWHORL_CUDA=AUTO
nvidia_smi 'echo 12.0'  # newer than this toolkit: the driver compiles the PTX
expect '<80-virtual> ' -DWHORL_CUDA=AUTO

nvidia_smi 'echo 7.5'
expect '<> *7.5 is older than 8.0*WHORL_CUDA_ARCHITECTURES=75*' -DWHORL_CUDA=AUTO
expect '<75> ' -DWHORL_CUDA=AUTO -DWHORL_CUDA_ARCHITECTURES=75
for answer in 'exit 0' 'echo 9.0; exit 9' 'echo "No devices were found"' 'echo "[N/A]"' 'sleep 60'; do
    nvidia_smi "$answer"
    expect '<> the driver shows no GPU' -DWHORL_CUDA=AUTO -DWHORL_NVIDIA_SMI_SECONDS=1
    expect '<80-virtual,90-real> ' -DWHORL_CUDA=ON -DWHORL_NVIDIA_SMI_SECONDS=1
done

nvidia_smi 'echo 9.0'
nvcc 12.3 "sm_80 sm_90"
expect '<> CUDA 12.3 found, 12.4 or newer needed' -DWHORL_CUDA=AUTO
expect '<> CUDA 12.3 found, 12.4 or newer needed' -DWHORL_CUDA=ON
tool nvcc 'exit 1'
expect '<> *nvcc does not run' -DWHORL_CUDA=AUTO
exit "$((failures > 0))"
