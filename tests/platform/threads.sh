#!/usr/bin/env bash
# The thread sanitizer over what runs beside the window: the training's actor and the desk's worker, by their own tests.
set -euo pipefail

skip() { echo "skipped: $1"; exit 77; }
if [[ -n ${WHORL_SANITIZE:-} ]]; then exit 77; fi
build=$(dirname "$WHORL_BINARY")
cmake --build "$build" --target help | grep -q whorl_thread_tests || skip "needs the compiler's thread sanitizer"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cmake --build "$build" --target whorl_thread_tests >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }

# Two processors at most, of which a training takes one: threads of OpenMP's, which the sanitizer does not understand,
# would be reported. Addresses that are not drawn at random: it finds no room for its shadow on some kernels.
run=(env OMP_NUM_THREADS=1 TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1)
if setarch -R true 2>/dev/null; then run+=(setarch -R); fi
cpus=$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status | tr ',' '\n' | awk -F- '{ for (i = $1; i <= ($2 ? $2 : $1); ++i) print i }' |
    head -n 2 | paste -sd,)
if command -v taskset >/dev/null; then run+=(taskset -c "$cpus"); fi

# It must be able to see: a race on purpose is found.
cat >"$scratch/race.cpp" <<'RACE'
#include <thread>
int shared = 0;
int main() {
    std::thread other([] { shared = 1; });
    shared = 2;
    other.join();
    return 0;
}
RACE
"${CXX:-c++}" -std=c++20 -O1 -fsanitize=thread "$scratch/race.cpp" -o "$scratch/race" -pthread
if "${run[@]}" "$scratch/race" >"$scratch/race.log" 2>&1; then skip "the thread sanitizer finds nothing here"; fi
grep -q 'data race' "$scratch/race.log" || { cat "$scratch/race.log"; skip "the thread sanitizer does not run here"; }

"${run[@]}" "$build/tests/whorl_thread_tests"
