#!/usr/bin/env bash
# Folders depend on each other one way: prints each cycle of includes and the lines that close it, and fails on one.
# A folder is its first two levels (core/model with its mixers); tasks is one.
set -euo pipefail
cd "$WHORL_SOURCE_DIR"

folders=()
for folder in core tasks gpu app viz; do
    if [[ -d $folder ]]; then folders+=("$folder"); fi
done
includes() {  # "including file:included file"
    grep -rHoE '^#include "(core|tasks|gpu|app|viz)/[^"]+"' "${folders[@]}" --include='*.[ch]pp' --include='*.cu' \
        --include='*.cuh' | sed -E 's/:#include "(.*)"/:\1/'
}
edges=$(includes | awk -F: '
    function folder(path, parts, n) {
        n = split(path, parts, "/")
        return n > 2 ? parts[1] "/" parts[2] : parts[1]
    }
    { from = folder($1); to = folder($2); if (from != to) print from, to }' | sort -u)
[[ $(wc -l <<<"$edges") -gt 20 ]]  # the search itself works

cycles=$(tsort <<<"$edges" 2>&1 >/dev/null | sed -nE 's/^tsort: //p' || true)
if [[ -n $cycles ]]; then
    echo "folders that include each other:"
    echo "$cycles"
    members=$(grep -vE 'input contains a loop' <<<"$cycles" | sort -u)
    includes | awk -F: -v members="$members" '
        BEGIN { n = split(members, list, "\n"); for (i = 1; i <= n; ++i) in_cycle[list[i]] = 1 }
        function folder(path, parts, n) { n = split(path, parts, "/"); return n > 2 ? parts[1] "/" parts[2] : parts[1] }
        { a = folder($1); b = folder($2); if (a != b && in_cycle[a] && in_cycle[b]) print "  " $1 " includes " $2 }'
    exit 1
fi
echo "$(wc -l <<<"$edges") edges between $(tr ' ' '\n' <<<"$edges" | sort -u | wc -l) folders, no cycle"
