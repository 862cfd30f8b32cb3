#!/usr/bin/env bash
# A browser opens the SVG: it accepts the fonts that the file brings, sets the texts as wide as they were measured, and
# paints what the rasteriser paints.
set -euo pipefail

browser=
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then browser=$name; break; fi
done
if [[ -z $browser ]]; then
    echo "skipped: needs Chromium (package chromium)"
    exit 77
fi
tests=${WHORL_BINARY%/*}/tests/whorl_tests
WHORL_BROWSER_FOLDER=$(mktemp -d)
export WHORL_BROWSER_FOLDER
trap 'rm -rf "$WHORL_BROWSER_FOLDER"' EXIT

browse() {
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --force-device-scale-factor=1 --hide-scrollbars \
        --user-data-dir="$WHORL_BROWSER_FOLDER/profile" "$@" 2>"$WHORL_BROWSER_FOLDER/log" ||
        { cat "$WHORL_BROWSER_FOLDER/log"; echo "the browser failed"; exit 1; }
}

"$tests" "[.browser-page]"
browse --virtual-time-budget=5000 --dump-dom "file://$WHORL_BROWSER_FOLDER/page.html" >"$WHORL_BROWSER_FOLDER/dom.html"
verdict=$(sed -nE 's|.*<p id="verdict">([^<]*)</p>.*|\1|p' "$WHORL_BROWSER_FOLDER/dom.html")
echo "$verdict"
[[ $verdict == "2 fonts loaded, 2 texts fit" ]]

browse --screenshot="$WHORL_BROWSER_FOLDER/drawing.png" --window-size=320,260 \
    "file://$WHORL_BROWSER_FOLDER/drawing.svg" >/dev/null
"$tests" "[.browser-picture]"
