#!/usr/bin/env bash
# Off a terminal the launcher says how far a long build is, and shows a failing compiler's output and nothing else of it.
set -euo pipefail
root=${WHORL_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A tree of its own, where cmake only pretends to build: compiles two files of three, with time between.
mkdir -p "$scratch"/{tree/build/release,tree/cmake,bin}
cp "$root/whorl" "$scratch/tree/"
touch "$scratch"/tree/{CMakeLists.txt,build/release/build.ninja}
echo "CMAKE_HOME_DIRECTORY:INTERNAL=$scratch/tree" >"$scratch/tree/build/release/CMakeCache.txt"
cat >"$scratch/bin/cmake" <<'SH'
#!/bin/sh
echo "[1/3] Building a.o"; echo "[2/3] Building b.o"; sleep 3
if [ -e broken ]; then echo "b.cpp:1: error: broken"; exit 1; fi
printf '#!/bin/sh\necho ran "$@"\n' >"$2/whorl"; chmod +x "$2/whorl"
SH
# No package manager: nothing is installed here, whatever is missing.
for tool in ninja c++; do printf '#!/bin/sh\n' >"$scratch/bin/$tool"; done
for tool in bash sh env readlink mkdir rm touch mv nproc awk cat find grep sed sleep tail uname flock printf chmod; do
    ln -s "$(command -v "$tool")" "$scratch/bin/$tool"
done
chmod +x "$scratch"/bin/{cmake,ninja,c++}

launch() { (cd "$scratch" && env -u WHORL_CMAKE_ARGS PATH="$scratch/bin" WHORL_PROGRESS_SECONDS=1 tree/whorl "$@"); }
check() { if ! "${@:2}"; then echo "$1:"; cat "$scratch/said"; exit 1; fi; }

[[ $(launch hello 2>"$scratch/said") == "ran hello" ]]
check "says how far it is" grep -qE '^whorl: building, 2 of 3 after [0-9]+ s$' "$scratch/said"
if grep -q Building "$scratch/said"; then cat "$scratch/said"; exit 1; fi
check "says when it is done" grep -qE '^whorl: built in [0-9]+ s$' "$scratch/said"
launch again >"$scratch/said" 2>&1
check "starts at once when all is current" test "$(<"$scratch/said")" = "ran again"

touch "$scratch/broken" "$scratch/tree/CMakeLists.txt"
status=0
launch hello >"$scratch/said" 2>&1 || status=$?
check "a failing build is exit status 3" test "$status" = 3
check "shows the error" grep -qx 'b.cpp:1: error: broken' "$scratch/said"
if grep -q 'Building' "$scratch/said"; then cat "$scratch/said"; exit 1; fi
