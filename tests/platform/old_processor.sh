#!/usr/bin/env bash
# On a processor below x86-64-v3 the program says so in one line and exits with 3, before anything can be illegal.
set -euo pipefail

if ! command -v qemu-x86_64 >/dev/null; then
    echo "skipped: needs qemu-x86_64 (package qemu-user)"
    exit 77
fi
# A sanitizer's reservations take minutes and all the memory there.
if [[ -n ${WHORL_SANITIZE:-} ]]; then exit 77; fi
# Built for another processor on purpose: nothing to refuse.
if ! grep -qa 'lacks AVX2' "$WHORL_BINARY"; then exit 77; fi

status=0
output=$(qemu-x86_64 -cpu Nehalem "$WHORL_BINARY" --help 2>&1) || status=$?
echo "exit $status: $output"
[[ $status == 3 && $output == "whorl: this processor lacks AVX2"* && $(wc -l <<<"$output") == 1 ]]
