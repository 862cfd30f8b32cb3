#!/usr/bin/env bash
# Writes every table of README.md and docs/*.md that comes from a committed result: what stands between a line
# <!-- table: NAME --> and the next <!-- end --> is printed by the function of that name in table_functions.sh.
#
# tables.sh            rewrites the pages
# tables.sh --check    prints what differs, and then ends with status 1
# tables.sh --retrain  trains one replica each of two stored rows with WHORL_BINARY (default: build/release/whorl) and
#                      compares its test accuracies with the stored ones, digit for digit; seconds
set -euo pipefail
export LC_ALL=C  # numbers with a point, whatever the reader's language
results=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$results/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

die() { echo "tables.sh: $*" >&2; exit 2; }

# shellcheck source=SCRIPTDIR/table_functions.sh
. "$results/table_functions.sh"

# The page with its tables printed anew.
render() {
    local line name text open=""
    while IFS= read -r line || [[ -n $line ]]; do
        if [[ $line == "<!-- end -->" ]]; then
            [[ -n $open ]] || die "$1: <!-- end --> without a table"
            open=""
        fi
        if [[ -z $open ]]; then printf '%s\n' "$line"; fi
        if [[ $line =~ ^"<!-- table: "([a-z0-9-]+)" -->"$ ]]; then
            [[ -z $open ]] || die "$1: table $open has no <!-- end -->"
            name=${BASH_REMATCH[1]} open=$name
            declare -F "table_${name//-/_}" >/dev/null || die "$1: no table is named $name"
            text=$("table_${name//-/_}") || die "$1: table $name could not be made"
            printf '\n%s\n\n' "$text"
        fi
    done <"$1"
    [[ -z $open ]] || die "$1: table $open has no <!-- end -->"
}

# pages WRITE|CHECK
pages() {
    local page status=0
    for page in "$root"/README.md "$root"/docs/*.md; do
        render "$page" >"$scratch/page"
        if cmp -s "$page" "$scratch/page"; then continue; fi
        if [[ $1 == CHECK ]]; then
            diff -u --label "${page#"$root"/}" --label "its results" "$page" "$scratch/page" || status=1
        else
            cat "$scratch/page" >"$page"
            echo "${page#"$root"/}"
        fi
    done
    return $status
}

# replica_lines ROW: "size accuracy scaled" of that row's replica with rate 0.008 and seed 0 on test data, from what
# `whorl report RUN… --format csv` printed on standard input.
replica_lines() {
    awk -F, -v row="$1" '
        $1 == "run" { for (i = 1; i <= NF; ++i) column[$i] = i; next }
        {
            n = split($1, folders, "/")
            if (folders[n] == row && $column["learning_rate"] == 0.008 && $column["seed"] == 0 &&
                $column["split"] == "test")
                print $column["size"], $column["accuracy"], $column["scaled"]
        }'
}

# A replica alone has the bits that it has in its population.
retrain() {
    local whorl=${WHORL_BINARY:-$root/build/release/whorl} status=0 row options
    for row in mamba3 gdn; do
        options=(--set "model.preset=$row" --set "replicas.learning_rates=[0.008]" --set replicas.seeds=1)
        if [[ $row != mamba3 ]]; then options+=(--set "replicas.dt_ranges=[{min=0,max=0}]"); fi  # the release's own
        if ! "$whorl" train parity-quick "${options[@]}" --device cpu --out "$scratch/$row" >"$scratch/log" 2>&1; then
            cat "$scratch/log"
            return 1
        fi
        replica_lines "$row" <"$results/parity/quick-cpu/replicas.csv" >"$scratch/stored"
        "$whorl" report "$scratch/$row" --format csv | replica_lines "$row" >"$scratch/trained"
        [[ -s $scratch/stored ]] || die "replicas.csv holds no replica of $row with rate 0.008 and seed 0"
        if diff -u --label "$row, stored" --label "$row, trained now" "$scratch/stored" "$scratch/trained"; then
            echo "$row, rate 0.008, seed 0: as stored at $(cut -d' ' -f1 "$scratch/stored" | paste -sd' ')"
        else
            status=1
        fi
    done
    return $status
}

case ${1-} in
    "") pages WRITE ;;
    --check) pages CHECK ;;
    --retrain) retrain ;;
    *) die "no argument '$1'; usage: tables.sh [--check | --retrain]" ;;
esac
