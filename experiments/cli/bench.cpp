// `whorl bench NAME`: how fast this machine trains and decodes, beside what its matrix units can do.
#include <fmt/format.h>
#include <omp.h>

#include <cstdio>

#include "core/base/error.hpp"
#include "core/io/value.hpp"
#include "core/model/registry.hpp"
#include "core/training/run_config.hpp"
#include "experiments/bench/train_bench.hpp"
#include "experiments/cli/options.hpp"

namespace whorl::cli {
namespace {

Syntax syntax() {
    Syntax s(
        "bench", "train|decode [--model NAME]… [sizes] [--json]",
        "train: the whole training step (forward, loss at every position, backward, clipping, AdamW) on random tokens. "
        "decode: one "
        "token of one sequence with carried state. Medians; the matrix rate is measured in the same run.",
        {"whorl bench train", "whorl bench train --model mamba3 --length 160 --chunk 32", "whorl bench decode --json"});
    const auto number = [](std::int64_t value) { return po::value<std::int64_t>()->default_value(value); };
    s.options.add_options()("model", po::value<std::vector<std::string>>(),
                            "preset, repeatable (default: mamba3, mamba2, gdn, transformer)")(
        "d-model", number(32), "width")("headdim", number(32), "P, or head_dim")("d-state", number(64), "N")(
        "n-layer", number(1), "layers")("vocab-size", number(16), "tokens")(
        "replicas", number(1), "models trained together")("batch", number(64), "sequences a replica")(
        "length", number(40), "tokens a sequence (decode: tokens behind the first timed one)")(
        "form", po::value<std::string>()->default_value("automatic"), "automatic, recurrent or chunked")(
        "chunk", number(0), "positions a chunk, 0 = automatic")(
        "matmul", po::value<std::string>()->default_value("float32"), "float32, tf32 or bf16 (GPU)")(
        "seconds", po::value<double>()->default_value(2.0), "time for each figure")("json", po::bool_switch(),
                                                                                    "for another program to read");
    add_device_options(s.options);
    s.positionals = {{"NAME", 1, 1}};
    return s;
}

FormChoice form_of(const Parsed& p) {
    const std::string name = p.text("form");
    const std::int64_t chunk = p.number("chunk");
    if (chunk < 0) throw UserError("--chunk: expected a number of positions, or 0");
    if (name == "automatic") return {Form::automatic, chunk};
    if (name == "recurrent") return {Form::recurrent, chunk};
    if (name == "chunked") return {Form::chunked, chunk};
    throw UserError("--form " + name + suggestion(name, {"automatic", "recurrent", "chunked"}));
}

Precision precision_of(const Parsed& p) {
    const std::string name = p.text("matmul");
    std::vector<std::string> known;
    for (const auto& [value, text] : enum_names(Matmul{})) {
        if (name == text) return {value};
        known.emplace_back(text);
    }
    throw UserError("--matmul " + name + suggestion(name, known));
}

PresetSize size_of(const Parsed& p) {
    PresetSize size;
    size.d_model = p.number("d-model");
    size.headdim = p.number("headdim");
    size.d_state = p.number("d-state");
    size.n_layer = p.number("n-layer");
    size.vocab_size = p.number("vocab-size");
    return size;
}

Value train_row(const std::string& name, const TrainBenchResult& r, double rate, bool json) {
    const double share = rate > 0 ? r.gflops() / rate : 0;
    if (!json)
        fmt::print("{:<18} {:>9.3f} ms {:>10.0f} tokens/s {:>8.1f} GFLOP/s {:>6.1f} %  arena {:>7.2f} MiB{}\n", name,
                   1e3 * r.step.median, r.tokens_per_second, r.gflops(), 100 * share,
                   static_cast<double>(r.arena_bytes) / 1048576,
                   r.nodes > 0 ? fmt::format("  {} graph nodes", r.nodes) : std::string());
    return {Table{{"model", {name}},
                  {"step_ms", {1e3 * r.step.median}},
                  {"step_ms_fastest", {1e3 * r.step.fastest}},
                  {"step_ms_slowest", {1e3 * r.step.slowest}},
                  {"tokens_per_second", {r.tokens_per_second}},
                  {"flops_per_token", {r.flops_per_token}},
                  {"gflops", {r.gflops()}},
                  {"share_of_gemm", {share}},
                  {"graph_nodes", {r.nodes}},
                  {"arena_bytes", {r.arena_bytes}}}};
}

Value decode_row(const std::string& name, const DecodeBenchResult& r, bool json) {
    if (!json)
        fmt::print("{:<18} {:>8.2f} µs a token (fastest {:.2f}, slowest {:.2f})\n", name, 1e6 * r.token.median,
                   1e6 * r.token.fastest, 1e6 * r.token.slowest);
    return {Table{{"model", {name}},
                  {"token_us", {1e6 * r.token.median}},
                  {"token_us_fastest", {1e6 * r.token.fastest}},
                  {"token_us_slowest", {1e6 * r.token.slowest}}}};
}

}  // namespace

int run_bench(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    const std::string name = parsed->first("NAME");
    if (name != "train" && name != "decode")
        throw UserError("whorl bench: unknown benchmark '" + name + "'" + suggestion(name, {"train", "decode"}));
    for (const char* key : {"d-model", "headdim", "d-state", "n-layer", "vocab-size", "replicas", "batch", "length"})
        if (parsed->number(key) < 1 || parsed->number(key) > 1 << 20)
            throw UserError(std::string("--") + key + ": expected a number in 1..1048576");
    auto models = parsed->all("model");
    if (models.empty()) models = {"mamba3", "mamba2", "gdn", "transformer"};
    const Precision precision = precision_of(*parsed);
    const auto backend = make_backend(*parsed);
    backend->set_precision(precision);
    const bool json = parsed->flag("json");
    const int threads =
        static_cast<int>(parsed->number("threads") > 0 ? parsed->number("threads") : omp_get_max_threads());
    const bool gpu = backend->device() == Device::cuda;
    const Ceilings ceilings = gpu ? measure_cuda_ceilings() : Ceilings{};
    const double rate = gpu ? ceilings.gflops : name == "train" ? measured_gemm_rate(threads) : 0;
    const TrainBenchShape shape{parsed->number("replicas"), parsed->number("batch"), parsed->number("length"),
                                form_of(*parsed)};
    if (!json && gpu)
        fmt::print("{}; multiply-adds reach {:.0f} GFLOP/s, copies {:.0f} GB/s\n", backend->describe(), rate,
                   ceilings.gbytes);
    else if (!json && rate > 0)
        fmt::print("{}; matrix products reach {:.1f} GFLOP/s\n", backend->describe(), rate);
    Array rows;
    for (const std::string& model : models) {
        const ModelConfig config = model_preset(model).make(size_of(*parsed));
        validate(config, "whorl bench");
        rows.push_back(
            name == "train"
                ? train_row(model, bench_train(config, shape, *backend, parsed->real("seconds")), rate, json)
                : decode_row(model, bench_decode(config, shape.length, *backend, parsed->real("seconds")), json));
    }
    if (json)
        std::puts(write_json({Table{{"bench", {name}},
                                    {"device", {backend->describe()}},
                                    {"matmul", {std::string(name_of(precision.matmul))}},
                                    {"gemm_gflops", {rate}},
                                    {"copy_gbytes", {ceilings.gbytes}},
                                    {"replicas", {shape.replicas}},
                                    {"batch", {shape.batch}},
                                    {"length", {shape.length}},
                                    {"rows", {std::move(rows)}}}},
                             2)
                      .c_str());
    return 0;
}

}  // namespace whorl::cli
