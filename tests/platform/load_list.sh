#!/usr/bin/env bash
# The program needs nothing at load but libc, libm, libstdc++ and libgcc_s (and the loader), so that one built on Debian 12
# runs on newer distributions and on machines where nothing is installed.
set -euo pipefail

# Sanitizers and Clang bring run-time libraries of their own; no such build is meant for another machine.
if [[ -n ${WHORL_SANITIZE:-} ]] || readelf -d "$WHORL_BINARY" | grep -q 'libomp\.'; then exit 77; fi

needed=$(readelf -d "$WHORL_BINARY" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')
[[ -n $needed ]]
unexpected=$(grep -vE '^(lib(c|m)\.so\.6|libstdc\+\+\.so\.6|libgcc_s\.so\.1|ld-linux.*)$' <<<"$needed" || true)
if [[ -n $unexpected ]]; then
    echo "$WHORL_BINARY also needs:" "$unexpected"
    exit 1
fi
