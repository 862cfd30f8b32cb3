#!/usr/bin/env bash
# core, tasks, app/run, app/inference and viz compile for the browser: what is not written for it, such as a
# call that its library lacks or a size that has 32 bits there, shows here. Nothing is linked or run.
set -euo pipefail

if ! command -v em++ >/dev/null; then
    echo "skipped: needs em++ (package emscripten)"
    exit 77
fi
root=${WHORL_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The header-only libraries alone: the rest of /usr/include belongs to this machine's own C library.
mkdir "$scratch/include"
for header in Eigen fmt toml++ nlohmann xxhash.h stb; do
    for folder in "${WHORL_INCLUDE:-/usr/include}"{/eigen3,}; do
        if [[ -e $folder/$header ]]; then ln -s "$folder/$header" "$scratch/include/$header"; break; fi
    done
    [[ -e $scratch/include/$header ]] || { echo "skipped: $header is not where it is looked for"; exit 77; }
done

compile() {
    em++ -std=c++20 -fsyntax-only -Wall -Wextra -Wshadow -Wno-pass-failed -Werror \
        -isystem "$1/include" -isystem "$1/include/stb" -I"$2" -DFMT_HEADER_ONLY=1 -DXXH_INLINE_ALL= -DWHORL_VERSION='"0"' "$3" >"$1/log.$$" 2>&1 ||
        { echo "${3#"$2"/} does not compile:"; cat "$1/log.$$"; return 1; }
}
export -f compile

# Without the check of the processor that the program was built for, which is x86's, a program of the build, and the
# window, whose libraries belong to this machine.
mapfile -t sources < <(find "$root"/{core,tasks,app/run,app/inference,viz} -name '*.cpp' \
    ! -path '*/core/base/cpu_check.cpp' ! -path '*/viz/glyphs/make_glyphs.cpp' ! -path '*/viz/app/*' | sort)
echo "${#sources[@]} files"
((${#sources[@]} > 50))
printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'compile "$@"' _ "$scratch" "$root"
