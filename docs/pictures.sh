#!/usr/bin/env bash
# Makes the pictures of these documents, each by the command that stands here, in a light and a dark version.
#
#     docs/pictures.sh            writes docs/pictures/*.svg
#     docs/pictures.sh --screens  writes docs/pictures/explorer/*.png, the window's, which are not compared: letters and
#                                 lines differ by a shade from one OpenGL to the next
#     docs/pictures.sh --check    compares with what is there: the same shapes and words, numbers within a tenth of a pixel
#
# Letters are outlines: where pictures are shown as files of their own, embedded fonts are often not allowed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
whorl=${WHORL_BINARY:-./whorl}
target=docs/pictures
check=
if [[ ${1-} == --check ]]; then check=1; target=$(mktemp -d); trap 'rm -rf "$target"' EXIT; fi

# picture NAME FIGURE ARGUMENTS…
picture() {
    local name=$1 theme
    shift
    for theme in light dark; do
        "$whorl" figure "$@" --theme "$theme" --outlines --out "$target/$name-$theme.svg"
    done
}

pictures() {
    picture dials dials
    picture dials-trained dials parity-mamba3-smoothed --text 0110100110010110
    picture ledger-three ledger parity-mamba3 parity-mamba3-plain parity-mamba3-smoothed --size 161 --trained 40
    picture ledger-plain ledger parity-mamba3-plain --size 161
    picture ledger-smoothed ledger parity-mamba3-smoothed --size 161
    picture error error
    picture map map --rule bilinear --cells 60
    picture own-input own-input parity-mamba3-smoothed --between straight
    picture ask-now ask-now needle-gdn needle-mamba3 --size 1024 --index 1 --set depth=0.1
    picture needle-map needle-map needle-gdn needle-mamba3
    picture sandbox sandbox --text 11 --set turn1=150 --set fan=turn1
    picture table table experiments/results/state-tracking/full
}

# screen NAME WORDS…: the window.
screen() {
    local name=$1 theme
    shift
    for theme in light dark; do
        "$whorl" view "$@" --theme "$theme" --screenshot "docs/pictures/explorer/$name-$theme.png"
    done
}

screens() {
    screen start start
    screen error error
    screen dials dials
    screen compare 'whorl:1?view=ledger&models=parity-mamba3-smoothed&beside=whorl%3A1%3Fview%3Dledger'
    screen train 'whorl:1?view=train&moment=300&seed=1'
    screen needle needle
    screen overview experiments/results/state-tracking/full
    screen sandbox 'whorl:1?view=sandbox&text=11&turn1=150&fan=turn1'
    screen lesson 'whorl:1?view=ledger&models=parity-mamba3-plain&cursor=100&lesson=half-a-turn&step=2&answer=72'
}

if [[ ${1-} == --screens ]]; then screens; exit; fi

# A file's shapes and words without its numbers, and its numbers one a line.
shapes() { sed -E 's/-?[0-9]+(\.[0-9]+)?/#/g' "$1"; }
numbers() { grep -oE -e '-?[0-9]+(\.[0-9]+)?' "$1"; }

same() {
    cmp -s "$1" "$2" && return
    [[ $(shapes "$1") == "$(shapes "$2")" ]] || { echo "$1: other shapes or words than $2"; return 1; }
    paste <(numbers "$1") <(numbers "$2") | awk -v file="$1" '
        { off = $1 - $2; if (off < 0) off = -off; if (off > 0.1) { print file ": " $1 " is now " $2; exit 1 } }'
}

pictures
if [[ -n $check ]]; then
    status=0
    for made in "$target"/*.svg; do
        same "docs/pictures/${made##*/}" "$made" || status=1
    done
    exit "$status"
fi
