// `whorl logits CHECKPOINT --tokens FILE --out FILE`: a model's answers, for other programs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/cli/notes.hpp"
#include "app/cli/options.hpp"
#include "app/cli/outputs.hpp"
#include "app/cli/progress.hpp"
#include "app/inference/finite.hpp"
#include "app/inference/runner.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/io/safetensors.hpp"

namespace whorl::cli {
namespace {

Syntax syntax() {
    Syntax s(
        "logits", "CHECKPOINT --tokens FILE --out FILE.safetensors [--replica best|K] [--precision float|double]",
        "Runs a model over given sequences and writes the logits of every position: a safetensors file with `tokens` "
        "[batch, length] and `logits` [batch, length, vocabulary]. Sequences of different lengths are filled up with "
        "-1 and "
        "logits of 0, and their `lengths` [batch] stand beside them. CHECKPOINT is a .safetensors file, a checkpoint "
        "folder or a run.",
        {"whorl logits runs/parity --replica best --tokens tokens.txt --out logits.safetensors"});
    s.options.add_options()("tokens", po::value<std::string>(),
                            "text, one sequence a line, or safetensors with `tokens`")(
        "out", po::value<std::string>(), "the file to write")("replica", po::value<std::string>()->default_value(""),
                                                              "best, or a number")(
        "precision", po::value<std::string>()->default_value("float"), "float or double");
    add_device_options(s.options);
    add_piece_option(s.options);
    s.positionals = {{"CHECKPOINT", 1, 1}};
    return s;
}

// What stands behind a shorter sequence: -1 as token, 0 as logits.
template <class T>
void blank_filling(TokenBatch& batch, std::int64_t vocabulary, std::vector<T>& logits) {
    for (std::int64_t b = 0; b < batch.batch; ++b) {
        const std::int64_t first = b * batch.length + batch.lengths[static_cast<std::size_t>(b)],
                           end = (b + 1) * batch.length;
        std::fill(batch.tokens.begin() + first, batch.tokens.begin() + end, -1);
        std::fill(logits.begin() + first * vocabulary, logits.begin() + end * vocabulary, T(0));
    }
}

template <class T>
void write_logits(const std::string& path, const TokenBatch& batch, std::int64_t vocabulary,
                  const std::vector<T>& logits) {
    const std::vector<std::int32_t> lengths(batch.lengths.begin(), batch.lengths.end());
    std::vector<TensorView> tensors = {tensor_view<std::int32_t>("tokens", {batch.batch, batch.length}, batch.tokens),
                                       tensor_view<T>("logits", {batch.batch, batch.length, vocabulary}, logits)};
    if (batch.ragged()) tensors.push_back(tensor_view<std::int32_t>("lengths", {batch.batch}, lengths));
    write_safetensors(path, tensors);
}

/// The work is refused before it is begun: bytes of the results, and of what the longest sequences take at once.
void check_memory(const ModelRunner& runner, const TokenBatch& batch, std::int64_t piece, std::size_t bytes_each,
                  const Backend& backend) {
    const std::int64_t results = batch.batch * batch.length * runner.config().vocab_size;
    const std::int64_t host = results * static_cast<std::int64_t>(bytes_each);
    const std::int64_t needed = runner.logits_memory(batch, piece) + (backend.device() == Device::cpu ? host : 0);
    const std::int64_t held = backend.free_memory() / 10 * 9;
    if (needed > held)
        throw UserError("--tokens: " +
                        shortage_text(needed,
                                      fmt::format(" are needed for {} sequences of {} positions, vocabulary {}",
                                                  batch.batch, batch.length, runner.config().vocab_size),
                                      held) +
                        "; give fewer or shorter sequences at a time");
}

/// Runs the model and writes the file; returns the exit status.
template <class T>
int run_and_write(ModelRunner& runner, TokenBatch& batch, std::int64_t piece, const std::string& out,
                  const std::string& model) {
    const std::int64_t vocabulary = runner.config().vocab_size, rows = batch.batch * batch.length;
    std::vector<T> logits(static_cast<std::size_t>(rows * vocabulary));
    TokenProgress progress(rows, batch.batch == 1 && has_attention(runner.config()));
    std::int64_t done = 0;
    runner.logits(batch, piece, [&](std::int64_t row, const std::vector<double>& part) {
        std::copy(part.begin(), part.end(), logits.begin() + row * vocabulary);
        progress.show(done += static_cast<std::int64_t>(part.size()) / vocabulary);
    });
    blank_filling(batch, vocabulary, logits);
    write_logits<T>(out, batch, vocabulary, logits);
    fmt::print("{}: logits of {} × {} positions, vocabulary {}\n", one_line(out), batch.batch, batch.length,
               vocabulary);
    if (std::all_of(logits.begin(), logits.end(), [](T value) { return std::isfinite(value); })) return 0;
    return no_result(model + ": its answers are not all numbers");
}

}  // namespace

int run_logits(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    for (const char* needed : {"tokens", "out"})
        if (!parsed->has(needed)) throw UserError(std::string("whorl logits: --") + needed + " is missing");
    const std::string precision = parsed->text("precision"), out = parsed->text("out");
    if (precision != "float" && precision != "double")
        throw UserError("--precision " + precision + ": expected float or double");
    const std::int64_t piece = piece_from(*parsed);
    require_safetensors_name(out);
    std::vector<std::string> inputs = files_of_model(parsed->first("CHECKPOINT"));
    inputs.push_back(parsed->text("tokens"));
    refuse_own_inputs(out, {out}, inputs);
    const LoadedModel loaded = load_model(parsed->first("CHECKPOINT"), replica_choice(parsed->text("replica")));
    print_notes(loaded.notes);
    if (const std::string what = nonfinite_parameter(loaded); !what.empty()) return no_result(what);
    TokenBatch batch = read_tokens(parsed->text("tokens"), loaded.config.vocab_size);
    const auto backend = make_backend(*parsed);
    const bool twice = precision == "double";
    ModelRunner runner(loaded, *backend, twice ? DType::f64 : DType::f32);
    check_memory(runner, batch, piece, twice ? sizeof(double) : sizeof(float), *backend);
    return twice ? run_and_write<double>(runner, batch, piece, out, loaded.path)
                 : run_and_write<float>(runner, batch, piece, out, loaded.path);
}

}  // namespace whorl::cli
