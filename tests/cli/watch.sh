#!/usr/bin/env bash
# `whorl train --watch` starts whorl-view, which stands beside it, on the run, and trains whatever becomes of the window.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$WHORL_BINARY" "$folder/whorl"
tiny=(parity-quick --threads 1 --replicas 1 --set steps=3 --set batch=2 --set validation.sizes=[8] --set validation.count=8
    --set test.sizes=[8] --set test.count=8 --set curriculum.end=8)

# Without it nothing is begun.
status=0
"$folder/whorl" train "${tiny[@]}" --watch --out "$folder/none" 2>"$folder/error" || status=$?
[[ $status == 2 ]] || { echo "exit status $status without whorl-view, expected 2"; exit 1; }
grep -q 'whorl-view, is not beside this program' "$folder/error"
[[ ! -e $folder/none ]] || { echo "a run was begun"; exit 1; }

cat >"$folder/whorl-view" <<'END'
#!/usr/bin/env bash
printf '%s\n' "$@" >"$(dirname "$0")/seen.part"
mv "$(dirname "$0")/seen.part" "$(dirname "$0")/seen"
exit 7
END
chmod +x "$folder/whorl-view"
"$folder/whorl" train "${tiny[@]}" --watch --out "$folder/run" >/dev/null 2>&1
for _ in {1..100}; do
    if [[ -e $folder/seen ]]; then break; fi
    sleep 0.05
done
[[ $(<"$folder/seen") == $'train\n'"$folder/run" ]] || { echo "whorl-view was told: $(<"$folder/seen")"; exit 1; }
grep -q '"status": "finished"' "$folder/run/manifest.json"
