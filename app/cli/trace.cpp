// `whorl trace CHECKPOINT|RUN --tokens … --out FILE`: what one model's state did on one sequence.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "app/cli/notes.hpp"
#include "app/cli/options.hpp"
#include "app/cli/outputs.hpp"
#include "app/cli/progress.hpp"
#include "app/cli/sequence.hpp"
#include "app/inference/finite.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/model/piece_reader.hpp"
#include "core/trace/trace_file.hpp"

namespace whorl::cli {
namespace {

constexpr std::int64_t kMostNumbers = std::int64_t{1} << 27;  // 1 GiB of doubles
constexpr std::int64_t kLargestIndex = 1 << 20;

Syntax syntax() {
    Syntax s(
        "trace",
        "CHECKPOINT|RUN --tokens \"1 2 1\"|FILE --out FILE.safetensors|FILE.csv [--layer L] [--head H] [--state S]",
        "Decodes one sequence, token by token in double, and writes what happened in each layer and head: for "
        "Mamba-3 dt, a, alpha, beta, gamma, lambda, theta, phase, the rotated b and c, x, the state in the turning "
        "and in the still frame, the readout; for Mamba-2 and Gated DeltaNet their own, with the decay and the "
        "eigenvalue along the key; for attention its weights; and the logits.\n"
        "safetensors: tensors layers.L.NAME, whose axes the metadata name. csv: one number a line, "
        "layer,head,position,quantity,index,value; index counts what is inside a head, as 3:0 for channel 0 of "
        "state channel 3.",
        {"whorl trace runs/parity --replica best --tokens \"1 2 2 1\" --out trace.safetensors",
         "whorl trace runs/parity --replica best --text 0110 --layer 0 --head 1 --state 0,3 --out trace.csv",
         "whorl trace parity.safetensors --task parity --text 01101 --state none --out trace.csv --json"});
    s.options.add_options()("tokens", po::value<std::string>(), "numbers, or a file with one sequence")(
        "text", po::value<std::string>(), "the sequence as the task writes it, such as 0110")(
        "task", po::value<std::string>(), "the task whose text --text is (default: the model's)")(
        "out", po::value<std::string>(), "the file to write, .safetensors or .csv")(
        "replica", po::value<std::string>()->default_value(""), "best, or a number")(
        "layer", po::value<std::string>(), "layers to keep, such as 0 or 0,2 (default: all)")(
        "head", po::value<std::string>(), "heads to keep, where a layer has them (default: all)")(
        "state", po::value<std::string>()->default_value("all"),
        "all, none, or pairs of state channels such as 0,3: pair j is channels 2j and 2j+1 (or j and j+N/2 where those "
        "turn together)")("json", po::bool_switch(), "for another program to read");
    s.positionals = {{"CHECKPOINT|RUN", 1, 1}};
    return s;
}

TraceSelection selection_of(const Parsed& parsed) {
    const auto numbers = [&](const char* flag) {
        return parsed.has(flag) ? number_list(parsed.text(flag), std::string("--") + flag, 0, kLargestIndex)
                                : std::vector<std::int64_t>{};
    };
    TraceSelection selection{numbers("layer"), numbers("head"), true, {}};
    const std::string state = parsed.text("state");
    selection.state = state != "none";
    if (state == "all" || state == "none") return selection;
    if (state.find_first_not_of("0123456789,") != std::string::npos)
        throw UserError("--state " + in_quotes(state) + ": expected pairs of channels such as 0,3" +
                        suggestion(state, {"all", "none"}));
    selection.pairs = number_list(state, "--state", 0, kLargestIndex);
    return selection;
}

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Checked before the work.
std::string out_of(const Parsed& parsed) {
    if (!parsed.has("out")) throw UserError("whorl trace: --out FILE.safetensors or FILE.csv is missing");
    const std::string out = parsed.text("out");
    if (!ends_with(out, ".safetensors") && !ends_with(out, ".csv"))
        throw UserError("--out " + in_quotes(out) + ": the name must end in .safetensors or .csv");
    return out;
}

/// Numbers that the trace will hold.
std::int64_t checked_count(const ModelConfig& config, std::int64_t length, const TraceSelection& selection) {
    const std::int64_t count = count_trace(config, length, selection);
    if (count > kMostNumbers)
        throw UserError(
            fmt::format("whorl trace: would hold {} numbers, more than {}; choose fewer with --layer, --head "
                        "or --state, or a shorter sequence",
                        count, kMostNumbers));
    return count;
}

// --- what is said about it -------------------------------------------------------------------------------------------

std::string shape_text(const TraceQuantity& quantity) {
    std::string text;
    for (const TraceAxis& axis : quantity.axes)
        text += fmt::format("{}{} {}", text.empty() ? "" : " × ", axis.labels.size(), axis.name);
    return text;
}

void print_text(const std::string& out, const Trace& trace, std::int64_t count) {
    for (const TraceLayer& layer : trace.layers)
        for (const TraceQuantity& quantity : layer.quantities)
            fmt::print("layer {} ({}) {:<11} {}\n", layer.layer, layer.type, quantity.name, shape_text(quantity));
    fmt::print("logits {}\n{}: {} numbers\n", shape_text(trace.logits), one_line(out), count);
}

/// The most likely token behind each position.
Array answers_of(const Trace& trace) {
    Array answers;
    const auto vocabulary = static_cast<std::ptrdiff_t>(trace.config.vocab_size);
    for (auto at = trace.logits.values.begin(); at != trace.logits.values.end(); at += vocabulary)
        answers.push_back({std::int64_t{std::max_element(at, at + vocabulary) - at}});
    return answers;
}

void print_json(const std::string& out, const Trace& trace, const LoadedModel& model, std::int64_t count) {
    Array tokens, layers;
    for (const std::int32_t token : trace.tokens) tokens.push_back({std::int64_t{token}});
    for (const TraceLayer& layer : trace.layers) {
        Table quantities;
        for (const TraceQuantity& quantity : layer.quantities) {
            Array shape;
            for (const std::int64_t extent : quantity.shape()) shape.push_back({extent});
            quantities.push_back({quantity.name, {std::move(shape)}});
        }
        layers.push_back(
            {Table{{"layer", {layer.layer}}, {"type", {layer.type}}, {"quantities", {std::move(quantities)}}}});
    }
    std::puts(write_json({Table{{"out", {out}},
                                {"model", {model.path}},
                                {"replica", {model.replica}},
                                {"numbers", {count}},
                                {"tokens", {std::move(tokens)}},
                                {"answers", {answers_of(trace)}},
                                {"notes", notes_value(model.notes)},
                                {"layers", {std::move(layers)}}}},
                         2)
                  .c_str());
}

}  // namespace

int run_trace(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    const std::string out = out_of(*parsed);
    const TraceSelection selection = selection_of(*parsed);
    std::vector<std::string> inputs = files_of_model(parsed->first("CHECKPOINT|RUN"));
    if (parsed->has("tokens")) inputs.push_back(parsed->text("tokens"));
    refuse_own_inputs(out, {out}, inputs);
    const LoadedModel model = load_model(parsed->first("CHECKPOINT|RUN"), replica_choice(parsed->text("replica")));
    print_notes(model.notes);
    if (const std::string what = nonfinite_parameter(model); !what.empty()) return no_result(what);
    const std::vector<std::int32_t> tokens = sequence_of(*parsed, model);
    const std::int64_t count = checked_count(model.config, static_cast<std::int64_t>(tokens.size()), selection);
    TokenProgress progress(static_cast<std::int64_t>(tokens.size()), has_attention(model.config));
    const Trace trace =
        record_trace(model.config, model.slice, tokens, selection, [&](std::int64_t done) { progress.show(done); });
    if (!all_finite(trace.logits.values)) return no_result(model.path + ": its answers are not all numbers");
    if (ends_with(out, ".csv"))
        write_trace_csv(out, trace);
    else
        write_trace_safetensors(out, trace);
    if (parsed->flag("json"))
        print_json(out, trace, model, count);
    else
        print_text(out, trace, count);
    return 0;
}

}  // namespace whorl::cli
