// `whorl bench NAME`: how fast this machine is at the parts of its work, beside what it can do at most.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "app/bench/compare.hpp"
#include "app/bench/request.hpp"
#include "app/cli/options.hpp"
#include "core/base/error.hpp"
#include "core/model/registry.hpp"
#include "core/training/run_config.hpp"

namespace whorl::cli {
namespace {

constexpr std::int64_t kMostSize = 1 << 20;

std::string described_benchmarks() {
    std::string text;
    for (const Benchmark& b : benchmarks()) text += std::string(text.empty() ? "" : "; ") + b.name + ": " + b.summary;
    return text;
}

Syntax syntax() {
    static const std::string description =
        described_benchmarks() +
        ". Medians of many repetitions (on a GPU: of replays of a recorded graph). Operations are those of the model's "
        "definition, bytes those that must move; both beside the machine's limits, measured in the same run.";
    Syntax s("bench", "NAME [--model PRESET]… [sizes] [--scale SIZE] [--json] [--compare FILE]", description.c_str(),
             {"whorl bench train", "whorl bench sequence --model mamba3 --length 1024",
              "whorl bench train --model mamba3 --scale replicas --values 1,8,32",
              "whorl bench update --json > before.json", "whorl bench update --compare before.json --tolerance 5"});
    s.options.add_options()("model", po::value<std::vector<std::string>>(), "preset, repeatable");
    for (const BenchSizeName& size : kBenchSizeNames)
        s.options.add_options()(size.name, po::value<std::int64_t>(), size.meaning);
    s.options.add_options()("form", po::value<std::string>()->default_value("automatic"),
                            "automatic, recurrent or chunked")("chunk", po::value<std::int64_t>()->default_value(0),
                                                               "positions a chunk, 0 = automatic")(
        "matmul", po::value<std::string>()->default_value("float32"), "float32, tf32 or bf16 (GPU)")(
        "storage", po::value<std::string>()->default_value("float32"), "of activations: float32, or bf16 (GPU)")(
        "seconds", real_value(1), "time for each figure")(
        "scale", po::value<std::string>(), "a size (replicas, batch, length, d-state, …): a row for each of --values")(
        "values", po::value<std::string>(), "1,2,4,… (default: powers of two)")("json", po::bool_switch(),
                                                                                "for another program to read")(
        "compare", po::value<std::string>(), "JSON of an earlier run: prints ratios, exits with 1 if a row is slower")(
        "tolerance", real_value(10), "per cent by which --compare lets a row be slower");
    add_device_options(s.options);
    s.positionals = {{"NAME", 1, 1}};
    return s;
}

const Benchmark& benchmark_of(const Parsed& p) {
    const std::string name = p.first("NAME");
    std::vector<std::string> names;
    for (const Benchmark& b : benchmarks()) {
        if (name == b.name) return b;
        names.emplace_back(b.name);
    }
    throw UserError("whorl bench: unknown benchmark '" + name + "'" + suggestion(name, names));
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

template <class Enum>
Enum named(const Parsed& p, const char* option) {
    const std::string name = p.text(option);
    std::vector<std::string> known;
    for (const auto& [value, text] : enum_names(Enum{})) {
        if (name == text) return value;
        known.emplace_back(text);
    }
    throw UserError("--" + std::string(option) + " " + name + suggestion(name, known));
}

Precision precision_of(const Parsed& p) {
    const Precision precision{named<Matmul>(p, "matmul"), named<Storage>(p, "storage")};
    if (precision.storage == Storage::bf16 && precision.matmul != Matmul::bf16)
        throw UserError("--storage bf16 goes with products in bf16: give --matmul bf16 as well");
    return precision;
}

std::string text_of(const Precision& precision) {
    const std::string matmul(name_of(precision.matmul));
    return precision.storage == Storage::float32 ? matmul : matmul + ", stored in " + name_of(precision.storage);
}

std::vector<std::string> size_names(const Benchmark& benchmark) {
    std::vector<std::string> names;
    for (const BenchSizeName& size : kBenchSizeNames)
        if (benchmark.sizes.*size.member > 0) names.emplace_back(size.name);
    return names;
}

/// The benchmark's defaults, and what the options put in their place.
BenchSizes sizes_of(const Parsed& p, const Benchmark& benchmark, Device device) {
    BenchSizes sizes = device == Device::cpu ? benchmark.cpu_sizes : benchmark.sizes;
    for (const BenchSizeName& size : kBenchSizeNames) {
        if (!p.has(size.name)) continue;
        const std::string flag = std::string("--") + size.name;
        if (sizes.*size.member == 0)
            throw UserError(flag + ": whorl bench " + benchmark.name + " has no such size" +
                            suggestion(size.name, size_names(benchmark)));
        sizes.*size.member = p.number(size.name);
        if (sizes.*size.member < 1 || sizes.*size.member > kMostSize)
            throw UserError(flag + ": expected a number in 1.." + std::to_string(kMostSize));
    }
    return sizes;
}

struct Scale {
    std::string axis;  // empty: no scaling, one value
    std::int64_t BenchSizes::*member = nullptr;
    std::vector<std::int64_t> values = {0};
};

std::vector<std::int64_t> default_values(const std::string& axis) {
    if (axis == "replicas") return {1, 2, 4, 8, 16, 32, 64};
    if (axis == "length") return {16, 32, 64, 128, 256, 512, 1024};
    if (axis == "batch") return {1, 4, 16, 64, 256};
    if (axis == "n-layer" || axis == "rank") return {1, 2, 4, 8};
    return {16, 32, 64, 128};
}

Scale scale_of(const Parsed& p, const Benchmark& benchmark) {
    Scale scale;
    if (!p.has("scale")) {
        if (p.has("values")) throw UserError("--values: needs --scale");
        return scale;
    }
    scale.axis = p.text("scale");
    for (const BenchSizeName& size : kBenchSizeNames)
        if (scale.axis == size.name && benchmark.sizes.*size.member > 0) scale.member = size.member;
    if (!scale.member) throw UserError("--scale " + scale.axis + suggestion(scale.axis, size_names(benchmark)));
    scale.values =
        p.has("values") ? number_list(p.text("values"), "--values", 1, kMostSize) : default_values(scale.axis);
    return scale;
}

/// Every argument is judged before anything is measured.
struct Plan {
    const Benchmark& benchmark;
    FormChoice form;
    Precision precision;
    Scale scale;
    std::vector<std::string> models;
    std::optional<BenchReport> earlier;
    double tolerance;
};

Plan plan_of(const Parsed& p) {
    const Benchmark& benchmark = benchmark_of(p);
    Plan plan{benchmark,      form_of(p), precision_of(p),          scale_of(p, benchmark),
              p.all("model"), {},         p.real("tolerance") / 100};
    if (plan.precision.storage == Storage::bf16 &&
        (benchmark.run == bench_decode || benchmark.run == bench_read || benchmark.run == bench_update))
        throw UserError("--storage bf16 is for training: whorl bench " + std::string(benchmark.name) +
                        " carries a state, beside which activations stay float32");
    for (const std::string& model : plan.models) model_preset(model);  // throws for an unknown one
    if (plan.models.empty()) plan.models = benchmark.models;
    if (!(p.real("seconds") > 0 && p.real("seconds") <= 3600))
        throw UserError("--seconds: expected a number above 0 and at most 3600");
    if (!(plan.tolerance >= 0)) throw UserError("--tolerance: expected a number of at least 0");
    if (p.has("compare")) plan.earlier = load_report(p.text("compare"));
    return plan;
}

BenchReport measure(const Parsed& p, const Plan& plan) {
    const auto backend = make_backend(p);
    backend->set_precision(plan.precision);
    BenchRequest request{*backend, plan.models, sizes_of(p, plan.benchmark, backend->device()), plan.form,
                         p.real("seconds")};
    BenchReport report;
    report.bench = plan.benchmark.name;
    report.device = backend->describe();
    report.arithmetic = text_of(plan.precision);
    report.limits = measure_limits(*backend);
    for (const std::int64_t value : plan.scale.values) {
        if (plan.scale.member) request.sizes.*plan.scale.member = value;
        plan.benchmark.run(request, report);
    }
    return report;
}

/// 1 when a row is slower than it was. JSON has standard output to itself.
int compare(const BenchReport& report, const Plan& plan, bool json) {
    const BenchComparison comparison = compare_reports(report, *plan.earlier, plan.tolerance);
    std::FILE* to = json ? stderr : stdout;
    for (const std::string& line : comparison.lines) fmt::print(to, "{}\n", line);
    fmt::print(to, "{} rows compared, {} slower by more than {:g} %\n", comparison.compared, comparison.slower,
               100 * plan.tolerance);
    return comparison.slower > 0 ? 1 : 0;
}

}  // namespace

int run_bench(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    const Plan plan = plan_of(*parsed);
    const BenchReport report = measure(*parsed, plan);
    const bool json = parsed->flag("json");
    if (json)
        std::puts(to_json(report, 2).c_str());
    else
        print_report(report, plan.scale.axis);
    return plan.earlier ? compare(report, plan, json) : 0;
}

}  // namespace whorl::cli
