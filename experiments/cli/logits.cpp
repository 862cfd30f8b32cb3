// `whorl logits CHECKPOINT --tokens FILE --out FILE`: a model's answers, for other programs.
#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/io/safetensors.hpp"
#include "core/model/checkpoint_file.hpp"
#include "experiments/cli/notes.hpp"
#include "experiments/cli/options.hpp"
#include "experiments/inference/runner.hpp"

namespace whorl::cli {
namespace {

Syntax syntax() {
    Syntax s(
        "logits", "CHECKPOINT --tokens FILE --out FILE.safetensors [--replica best|K] [--precision float|double]",
        "Runs a model over given sequences and writes the logits of every position: a safetensors file with `tokens` "
        "[batch, length] and `logits` [batch, length, vocabulary]. CHECKPOINT is a .safetensors file, a checkpoint "
        "folder or a run.",
        {"whorl logits runs/parity --replica best --tokens tokens.txt --out logits.safetensors"});
    s.options.add_options()("tokens", po::value<std::string>(),
                            "text, one sequence a line, or safetensors with `tokens`")(
        "out", po::value<std::string>(), "the file to write")("replica", po::value<std::string>()->default_value(""),
                                                              "best, or a number")(
        "precision", po::value<std::string>()->default_value("float"), "float or double");
    add_device_options(s.options);
    s.positionals = {{"CHECKPOINT", 1, 1}};
    return s;
}

template <class T>
void write_logits(const std::string& path, const TokenBatch& batch, std::int64_t vocabulary,
                  const std::vector<double>& values) {
    const std::vector<T> logits(values.begin(), values.end());
    const std::vector<TensorView> tensors = {
        tensor_view<std::int32_t>("tokens", {batch.batch, batch.length}, batch.tokens),
        tensor_view<T>("logits", {batch.batch, batch.length, vocabulary}, logits)};
    write_safetensors(path, tensors);
}

}  // namespace

int run_logits(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    for (const char* needed : {"tokens", "out"})
        if (!parsed->has(needed)) throw UserError(std::string("whorl logits: --") + needed + " is missing");
    const std::string precision = parsed->text("precision");
    if (precision != "float" && precision != "double")
        throw UserError("--precision " + precision + ": expected float or double");
    const LoadedModel loaded = load_model(parsed->first("CHECKPOINT"), replica_choice(parsed->text("replica")));
    print_notes(loaded.notes);
    const TokenBatch batch = read_tokens(parsed->text("tokens"), loaded.config.vocab_size);
    const auto backend = make_backend(*parsed);
    ModelRunner runner(loaded, *backend, precision == "double" ? DType::f64 : DType::f32);
    std::vector<double> values;
    runner.logits(batch,
                  [&](const std::vector<double>& part) { values.insert(values.end(), part.begin(), part.end()); });
    const std::string out = parsed->text("out");
    if (precision == "double")
        write_logits<double>(out, batch, loaded.config.vocab_size, values);
    else
        write_logits<float>(out, batch, loaded.config.vocab_size, values);
    fmt::print("{}: logits of {} × {} positions, vocabulary {}\n", out, batch.batch, batch.length,
               loaded.config.vocab_size);
    return 0;
}

}  // namespace whorl::cli
