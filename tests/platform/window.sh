#!/usr/bin/env bash
# The window itself, on a screen that nobody sees: opened, drawn on, its view moved by a real mouse and its size by real
# keys. What became of it is read from the settings that it keeps, after it was killed, and after it was reopened.
set -euo pipefail

program=$(dirname "$WHORL_BINARY")/whorl-view
for tool in Xvfb xdotool; do
    if ! command -v "$tool" >/dev/null; then echo "skipped: needs $tool (packages xvfb, xdotool)"; exit 77; fi
done
if [[ ! -x $program ]]; then echo "skipped: needs whorl-view"; exit 77; fi

scratch=$(mktemp -d)
screen= window=
end() {
    if [[ -n $window ]]; then kill -KILL "$window" 2>/dev/null || true; fi
    if [[ -n $screen ]]; then kill "$screen" 2>/dev/null || true; fi
    rm -rf "$scratch"
}
trap end EXIT

export XDG_CONFIG_HOME=$scratch/config HOME=$scratch
unset WAYLAND_DISPLAY LIBGL_ALWAYS_SOFTWARE
settings=$XDG_CONFIG_HOME/whorl/explorer.toml

fail() {
    echo "$1"
    echo "--- settings:"
    cat "$settings" 2>/dev/null || true
    echo "--- said:"
    cat "$scratch/said" 2>/dev/null || true
    exit 1
}

# soon COMMAND…: waits until it succeeds, for half a minute at most.
soon() {
    for ((try = 0; try < 300; ++try)); do
        if "$@"; then return; fi
        sleep 0.1
    done
    fail "does not come true: $*"
}

# Without a screen: one line, and how a picture is taken all the same.
status=0
env -u DISPLAY "$program" >"$scratch/said" 2>&1 || status=$?
[[ $status == 2 && $(wc -l <"$scratch/said") == 1 ]] || fail "exit $status without a display"
grep -q -- '--screenshot' "$scratch/said" || fail "no way out is named"

mkfifo "$scratch/number"
Xvfb -displayfd 3 -screen 0 1400x900x24 -nolisten tcp 3>"$scratch/number" 2>/dev/null &
screen=$!
read -r number <"$scratch/number"
export DISPLAY=:$number

# open WORDS…: starts the program and waits for its window.
open() {
    "$program" "$@" 2>"$scratch/said" &
    window=$!
    id=$(xdotool search --sync --onlyvisible --name '^Whorl$' | tail -n 1)
    xdotool windowfocus "$id" 2>/dev/null || true
    xdotool mousemove --window "$id" 600 700
}
# press KEY: held for a few frames, as a hand does.
press() {
    xdotool keydown "$1"
    sleep 0.2
    xdotool keyup "$1"
}
drag() {  # X1 Y1 X2 Y2, pixels of the window
    xdotool mousemove --window "$id" "$1" "$2"
    sleep 0.2
    xdotool mousedown 1
    sleep 0.2
    for ((part = 1; part <= 8; ++part)); do
        xdotool mousemove --window "$id" $(($1 + ($3 - $1) * part / 8)) $(($2 + ($4 - $2) * part / 8))
        sleep 0.05
    done
    xdotool mouseup 1
}
cursor() { sed -nE 's/^last = .*[?&]cursor=([0-9]+).*/\1/p' "$settings" 2>/dev/null; }
has_cursor() { [[ -n $(cursor) ]]; }
cursor_beyond() { [[ $(cursor) -gt $1 ]]; }
# The cursor once it stands still: settings are written while it moves, too.
settled_cursor() {
    local before=none now
    while now=$(cursor); [[ $now != "$before" ]]; do before=$now; sleep 2; done
    echo "$now"
}
keeps() { grep -qF -- "$1" "$settings" 2>/dev/null; }
closes() { ! kill -0 "$window" 2>/dev/null; }

open ledger
drag 300 300 500 300
soon has_cursor
first=$(settled_cursor)
drag 500 300 800 300
soon cursor_beyond "$first"
last=$(settled_cursor)
echo "the mouse moved the cursor to $first, then to $last"
press ctrl+equal
soon keeps 'scale = 1.1'

# A crash loses nothing.
kill -KILL "$window"
wait "$window" 2>/dev/null || true
soon closes
keeps "cursor=$last" || fail "the killed window's view is lost"

# Where the display's OpenGL is of old, software draws; and the last view comes back.
export LIBGL_ALWAYS_INDIRECT=1
open --resume
press Left
soon keeps "cursor=$((last - 1))"
grep -q 'drawing in software instead' "$scratch/said" || fail "says nothing of software"
press ctrl+q
soon closes
wait "$window" || fail "does not end well"
window=
keeps "cursor=$((last - 1))" || fail "the closed window's view is lost"
echo "reopened, moved and closed"
