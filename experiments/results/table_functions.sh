# The tables of tables.sh, one function each: it reads result files below $results and prints Markdown.

# JSON on standard input as lines "path<TAB>value", as in .rows.0.sizes.batch<TAB>64.
flatten() {
    awk '
        function child() {
            if (!depth) return ""
            if (is_array[depth]) return path[depth] "." next_index[depth]++
            has_name[depth] = 0
            return path[depth] "." name[depth]
        }
        {
            line = $0
            while (match(line, /[^ \t,:]/)) {
                line = substr(line, RSTART)
                c = substr(line, 1, 1)
                if (c == "{" || c == "[") {
                    here = child()
                    ++depth
                    path[depth] = here; is_array[depth] = c == "["; next_index[depth] = 0; has_name[depth] = 0
                    line = substr(line, 2)
                } else if (c == "}" || c == "]") {
                    --depth
                    line = substr(line, 2)
                } else {
                    if (c == "\"") match(line, /^"([^"\\]|\\.)*"/)
                    else match(line, /^[^]},: \t]+/)
                    text = substr(line, 1, RLENGTH)
                    line = substr(line, RLENGTH + 1)
                    gsub(/^"|"$/, "", text)
                    if (!is_array[depth] && !has_name[depth]) { name[depth] = text; has_name[depth] = 1 }
                    else print child() "\t" text
                }
            }
        }'
}

# What the awk programs below share.
read -r -d '' common <<'AWK' || true
    BEGIN {
        rows = split("mamba3 mamba3-std-rope mamba3-no-rope mamba2 gdn gdn-positive transformer", row_keys, " ")
        split("Mamba-3|Mamba-3, standard RoPE|Mamba-3, no RoPE|Mamba-2|Gated DeltaNet [-1,1]|Gated DeltaNet [0,1]|" \
              "Transformer", labels, "|")
        for (i = 1; i <= rows; ++i) label[row_keys[i]] = labels[i]
    }
    function need(values, key) {
        if (!(key in values)) {
            gsub(SUBSEP, " ", key)
            print "no value " key > "/dev/stderr"
            exit 1
        }
        return values[key]
    }
    function percent(x, digits) { return sprintf("%." digits "f", 100 * x) }
    function scaled(accuracy, chance) { return (accuracy - chance) / (1 - chance) }
    # The middle of n values, or the mean of the two middle ones.
    function median_of(values, n, i, j, swap) {
        for (i = 2; i <= n; ++i)
            for (j = i; j > 1 && values[j - 1] > values[j]; --j) {
                swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap
            }
        return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
    }
AWK

# Lines "column row<TAB>percent" of the figures that the paper gives.
published() {
    flatten <"$results/state-tracking/full/table.json" | awk -F'\t' '
        $1 ~ /^\.columns\.[0-9]+\.key$/ { column = $2 }
        $1 ~ /\.cells\.[0-9]+\.row$/ { row = $2 }
        $1 ~ /\.paper_percent$/ && $2 ~ /[0-9]/ { print column " " row "\t" $2 }' | sort -u
}

# from_csv FILE AWK: the program sees value[column, row, width, size, NAME], with no width in a table without widths, and
# paper[column, row].
from_csv() {
    published | awk -F'\t' "$common"'
        FNR == NR { split($1, key, " "); published[key[1], key[2]] = sprintf("%.2f", $2); next }
        FNR == 1 { FS = ","; $0 = $0; n = split($0, names, ","); next }
        {
            split($0, field, ",")
            for (i = 1; i <= n; ++i) cell[names[i]] = field[i]
            for (i = 1; i <= n; ++i)
                value[cell["column"], cell["row"], cell["width"], cell["size"], names[i]] = field[i]
        }
        function at(column, row, width, size, name) {
            return need(value, column SUBSEP row SUBSEP width SUBSEP size SUBSEP name)
        }
        function shown(column, row, width, size, name, digits) {
            return percent(at(column, row, width, size, name), digits)
        }
        function paper(column, row) { return (column, row) in published ? published[column, row] : "–" }
        '"$2" - "$1"
}

# from_json AWK FILE…: the program sees value[K PATH] of file number K, from 0.
from_json() {
    local program=$1 file number=0
    shift
    for file; do
        flatten <"$file" | sed "s/^/$number/"
        number=$((number + 1))
    done | awk -F'\t' "$common"'
        { value[$1] = $2 }
        function at(path) { return need(value, path) }
        '"$program"
}

table_parity_quick() {
    from_csv "$results/parity/quick-cpu/table.csv" '
        END {
            print "| row | median | min | max | replicas ≥ 90 | @40 | @80 | @120 | @160 | paper |"
            print "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
            for (r = 1; r <= rows; ++r) {
                row = row_keys[r]
                line = "| " label[row]
                split("median min max", names, " ")
                for (i = 1; i <= 3; ++i) line = line " | " shown("parity", row, "", 80, names[i], 1)
                line = line " | " at("parity", row, "", 80, "passed_all") "/" at("parity", row, "", 80, "replicas")
                for (size = 40; size <= 160; size += 40) line = line " | " shown("parity", row, "", size, "median", 0)
                print line " | " paper("parity", row) " |"
            }
        }'
}

table_state_tracking_full() {
    from_csv "$results/state-tracking/full/table.csv" '
        function cell_of(column, row, size) {
            return shown(column, row, 64, size, "best", 1) " (" at(column, row, 64, size, "passed_all") "/" \
                   at(column, row, 64, size, "replicas") ") | " paper(column, row)
        }
        END {
            print "| row | parity | paper | arithmetic, no brackets | paper | arithmetic, brackets | paper |"
            print "|---|---:|---:|---:|---:|---:|---:|"
            for (r = 1; r <= rows; ++r)
                print "| " label[row_keys[r]] " | " cell_of("parity", row_keys[r], 256) " | " \
                      cell_of("arithmetic", row_keys[r], 256) " | " cell_of("brackets", row_keys[r], 256) " |"
        }'
}

table_state_tracking_quick() {
    from_csv "$results/state-tracking/quick-cpu/table.csv" '
        function pair(column, row, size) {
            return shown(column, row, "", size, "median", 1) " / " shown(column, row, "", size, "best", 1)
        }
        END {
            print "| row | no brackets, @40 | paper | brackets, @20 | @40 | paper |"
            print "|---|---:|---:|---:|---:|---:|"
            for (r = 1; r <= rows; ++r) {
                row = row_keys[r]
                print "| " label[row] " | " pair("arithmetic", row, 40) " | " paper("arithmetic", row) " | " \
                      pair("brackets", row, 20) " | " shown("brackets", row, "", 40, "median", 0) " | " \
                      paper("brackets", row) " |"
            }
        }'
}

table_arithmetic_curves() {
    from_csv "$results/state-tracking/full/table.csv" '
        function curve(row, width, text, i, sizes) {
            split("40 80 160 256", sizes, " ")  # of 256 the task makes 255: its sizes are odd
            text = "| " label[row] " | " width
            for (i = 1; i <= 4; ++i) text = text " | " shown("arithmetic", row, width, sizes[i], "best", 0)
            print text " |"
        }
        END {
            print "| row | d_model | @40 | @80 | @160 | @255 |"
            print "|---|---:|---:|---:|---:|---:|"
            curve("mamba3-no-rope", 64); curve("gdn-positive", 64); curve("gdn-positive", 32); curve("mamba2", 64)
        }'
}

table_brackets_longer() {
    from_json '
        END {
            for (i = 0; ("0.test.accuracy.3." i) in value; ++i) {
                found[i + 1] = scaled(at("0.test.accuracy.3." i), 0.2)
                if (at("0.validation.accuracy.1." i) > at("0.validation.accuracy.1." best + 0)) best = i
            }
            replicas = i; seeds = at("0.config.replicas.seeds")
            for (rate = 0; rate * seeds < replicas; ++rate) {
                head = head "| " at("0.config.replicas.learning_rate." rate) " "; rule = rule "|---"
                line = line "| " percent(found[rate * seeds + 1], 0) ", " percent(found[rate * seeds + 2], 0) " "
            }
            print head "| best by validation | median | the same replica at 160, 512 |"
            print rule "|---:|---:|---|"
            line = line "| " percent(found[best + 1], 1) " "
            line = line "| " percent(median_of(found, replicas), 0) " | "
            print line percent(scaled(at("0.test.accuracy.2." best), 0.2), 0) ", " \
                  percent(scaled(at("0.test.accuracy.4." best), 0.2), 0) " |"
        }' "$results/state-tracking/brackets-gdn-heads-120000-d64.json"
}

table_parity_loss() {
    from_json '
        END {
            print "| smoothing | β₂ | median | min | max | all replicas ≥ 90 | @40 | @80 | @120 | @160 |"
            print "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
            for (i = 0; ("0.cells." i ".size") in value; ++i) {
                cell = "0.cells." i
                line = "| " at(cell ".axes.loss.label_smoothing") + 0 " | " at(cell ".axes.optimizer.beta2") " | " \
                       percent(at(cell ".median"), 1) " | " percent(at(cell ".min"), 1) " | " \
                       percent(at(cell ".max"), 1) " | " at(cell ".passed_all") "/" at(cell ".replicas")
                for (k = 0; k < 4; ++k) line = line " | " percent(at(cell ".median_curve." k), 0)
                print line " |"
            }
        }' "$results/parity/loss-sweep-cpu.json"
}

table_parity_heads() {
    awk -F' [|] ' '
        /^[|] [0-9]+ [|]/ {
            gsub(/^[|] | [|]$/, "")
            match($2, /"max":[0-9.]+/); max = substr($2, RSTART + 6, RLENGTH - 6)
            match($2, /"min":[0-9.]+/); min = substr($2, RSTART + 6, RLENGTH - 6)
            print "| " $1 " | " min + 0 " … " max + 0 " | " $4 " | " $5 " | " $6 " | " $8 " | " $11 " | " $12 " | " $13 \
                  " | " $14 " |"
        }
        BEGIN {
            print "| headdim | Δ at the start | median | min | max | all replicas ≥ 90 | @40 | @80 | @120 | @160 |"
            print "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|"
        }' "$results/parity/heads-sweep-h100.md"
}

table_parity_full() {
    grep '"kind":"test"' "$results/parity/full-mamba3-h100-metrics.jsonl" >"$scratch/mamba3.json"
    grep '"kind":"test"' "$results/parity/full-gdn-h100-metrics.jsonl" >"$scratch/gdn.json"
    from_json '
        function passed(file, size, n, i) {
            n = 0
            for (i = 0; (file ".accuracy." size "." i) in value; ++i)
                if (scaled(at(file ".accuracy." size "." i), 0.5) >= 0.9) ++n
            return n "/" i
        }
        function replicas(file, seeds, text, i) {
            for (i = 0; (file ".accuracy.3." i) in value; ++i)
                text = text (i ? (i % seeds ? " " : " · ") : "") percent(scaled(at(file ".accuracy.3." i), 0.5), 0)
            return text
        }
        END {
            print "| row | replicas ≥ 90 at 256 | each replica at 256, by learning rate | ≥ 90 at 512 |"
            print "|---|---:|---|---:|"
            print "| Mamba-3, two seeds a rate | " passed(0, 3) " | " replicas(0, 2) " | " passed(0, 4) " |"
            print "| Gated DeltaNet [-1,1], one seed a rate | " passed(1, 3) " | " replicas(1, 1) " | " passed(1, 4) " |"
        }' "$scratch/mamba3.json" "$scratch/gdn.json"
}

table_parity_fresh() {
    from_json '
        END {
            print "| row | median | min | max | all replicas ≥ 90 | @120 | @160 |"
            print "|---|---:|---:|---:|---:|---:|---:|"
            for (i = 0; ("0.columns.0.rows." i ".key") in value; ++i) {
                cell = "0.columns.0.rows." i
                print "| " at(cell ".label") " | " percent(at(cell ".median"), 1) " | " percent(at(cell ".min"), 1) " | " \
                      percent(at(cell ".max"), 1) " | " at(cell ".passed_all") "/" at(cell ".replicas") " | " \
                      percent(at(cell ".median_curve.2"), 0) " | " percent(at(cell ".median_curve.3"), 0) " |"
            }
        }' "$results/parity/quick-cpu-fresh-seeds.json"
}

table_speed_processor() {
    from_json '
        END {
            print "| model | length 40, tokens/s | share | length 160, tokens/s | share | one decoded token |"
            print "|---|---:|---:|---:|---:|---:|"
            for (i = 0; ("0.rows." i ".name") in value; ++i) {
                line = "| " label[at("0.rows." i ".name")]
                sub(/ \[.*/, "", line)
                for (k = 0; k < 2; ++k)
                    line = line sprintf(" | %.0f k | %.0f %%", at(k ".rows." i ".tokens_per_second") / 1000,
                                        100 * at(k ".rows." i ".share_of_matrix"))
                print line sprintf(" | %.1f µs |", 1000 * at("2.rows." i ".ms"))
            }
        }' "$results"/bench/cpu-xeon-2-cores-{train-l40,train-l160,decode}.json
}

# Rows of one model together: a row of the file for each length.
table_speed_long() {
    from_json '
        END {
            for (i = 0; ("0.rows." i ".name") in value; ++i) {
                name = at("0.rows." i ".name"); n = at("0.rows." i ".sizes.length")
                if (!(name in found)) names[count++] = name
                if (!(n in lengths)) { lengths[n] = 1; order[kinds++] = n }
                found[name] = 1
                ms[name, n] = at("0.rows." i ".ms"); share[name, n] = at("0.rows." i ".share_of_matrix"); bytes[name] = at("0.rows." i ".memory_bytes")
            }
            line = "| model |"; rule = "|---|"
            for (k = 0; k < kinds; ++k) { line = line " " order[k] " tokens | share |"; rule = rule "---:|---:|" }
            print line " memory |"; print rule "---:|"
            for (i = 0; i < count; ++i) {
                line = "| " (names[i] in label ? label[names[i]] : "Mamba-3, MIMO rank 4")
                sub(/ \[.*/, "", line)
                line = line " |"
                for (k = 0; k < kinds; ++k) line = line sprintf(" %.1f s | %.0f %% |", ms[names[i], order[k]] / 1000, 100 * share[names[i], order[k]])
                print line sprintf(" %.0f MiB |", bytes[names[i]] / 1048576)
            }
        }' "$results/bench/cpu-xeon-2-cores-read.json"
}

table_speed_gpu() {
    from_json '
        END {
            print "| model | 1 replica | share | 32 replicas, tokens/s over all | share | bf16: 1 replica | bf16: 32 replicas |" \
                  " bf16: memory | graph nodes | one decoded token |"
            print "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
            for (i = 0; ("0.rows." i ".name") in value; ++i) {
                row = ".rows." i
                line = "| " label[at(0 row ".name")]
                sub(/ \[.*/, "", line)
                line = line sprintf(" | %.2f ms | %.1f %%", at(0 row ".ms"), 100 * at(0 row ".share_of_matrix"))
                line = line sprintf(" | %.1f M | %.1f %%", at(1 row ".tokens_per_second") / 1e6,
                                    100 * at(1 row ".share_of_matrix"))
                line = line sprintf(" | %.2f ms | %.1f M", at(2 row ".ms"), at(3 row ".tokens_per_second") / 1e6)
                line = line sprintf(" | %.0f %%", 100 * at(2 row ".memory_bytes") / at(0 row ".memory_bytes"))
                print line sprintf(" | %d | %.0f µs |", at(0 row ".graph_nodes"), 1000 * at(4 row ".ms"))
            }
        }' "$results"/bench/h200-{train-r1,train-r32,train-r1-bf16-stored,train-r32-bf16-stored,decode}.json
}

table_speed_sequences() {
    from_json '
        END {
            print "| model | bf16 | TF32 | float32 |"
            print "|---|---:|---:|---:|"
            for (i = 0; ("0.rows." i ".name") in value; i += 2) {
                name = at(0 ".rows." i ".name")
                sub(/ forward$/, "", name)
                line = "| " (name in label ? label[name] : "Mamba-3, MIMO rank 4")
                sub(/ \[.*/, "", line)
                for (file = 0; file < 3; ++file)
                    line = line sprintf(" | %.2f / %.2f ms", at(file ".rows." i ".ms"), at(file ".rows." (i + 1) ".ms"))
                print line " |"
            }
        }' "$results"/bench/h200-sequence-{bf16-stored,tf32,float32}.json
}

# What whorl claims --markdown said of the results beside it.
table_claims() {
    cat "$results/claims/claims.md"
}
