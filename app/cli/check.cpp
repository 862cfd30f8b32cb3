// whorl check: does this build still learn what it should, and nothing that it should not?
#include <fmt/format.h>

#include <filesystem>

#include "app/check/baseline.hpp"
#include "app/cli/options.hpp"
#include "app/cli/outputs.hpp"
#include "app/cli/progress.hpp"
#include "app/run/interrupt.hpp"
#include "core/base/error.hpp"
#include "core/io/toml_file.hpp"

namespace whorl::cli {
namespace {

namespace fs = std::filesystem;

/// The folder of the gates' runs: the user's, or one that goes when the command ends.
class Runs {
public:
    explicit Runs(const Parsed& parsed) : kept_(parsed.has("out")) {
        if (kept_) {
            path_ = parsed.text("out");
            return;
        }
        std::string pattern = (fs::temp_directory_path() / "whorl-check-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw RuntimeFailure(pattern + ": the folder cannot be made");
        path_ = pattern;
    }
    ~Runs() {
        std::error_code ignored;
        if (!kept_) fs::remove_all(path_, ignored);
    }
    Runs(const Runs&) = delete;
    Runs& operator=(const Runs&) = delete;

    std::string of(const Gate& gate) const { return path_ + "/" + gate.name; }

private:
    bool kept_;
    std::string path_;
};

std::string demand_text(const Gate& gate) {
    std::string text;
    if (gate.min_pass_rate) text += fmt::format(">= {:g}", *gate.min_pass_rate);
    if (gate.max_pass_rate) text += fmt::format("{}<= {:g}", text.empty() ? "" : ", ", *gate.max_pass_rate);
    return text;
}

void print_gate(const Gate& gate, const GateResult& result) {
    fmt::print(
        "{:<6} {:<20} {:>3}/{:<3} replicas at {:g} or more, size {}; pass rate {:.2f} to {:.2f}, demanded {}; {}\n",
        result.holds ? "holds" : "FAILS", gate.name, result.passed, result.count, gate.threshold, gate.size,
        result.lower, result.upper, demand_text(gate), duration_text(result.seconds));
}

Value gate_value(const Gate& gate, const GateResult& result) {
    return {Table{{"name", {gate.name}},
                  {"passed", {result.passed}},
                  {"count", {result.count}},
                  {"lower", {result.lower}},
                  {"upper", {result.upper}},
                  {"min_pass_rate", gate.min_pass_rate ? Value{*gate.min_pass_rate} : Value{}},
                  {"max_pass_rate", gate.max_pass_rate ? Value{*gate.max_pass_rate} : Value{}},
                  {"seconds", {result.seconds}},
                  {"holds", {result.holds}}}};
}

}  // namespace

int run_check(const Arguments& arguments) {
    Syntax syntax("check", "BASELINE.toml [--out DIR] [--json] [options]",
                  "Trains the small populations that a baseline names and bounds the share of replicas that pass, with "
                  "the baseline's\nconfidence. Exit status 1 when a bound is not met.",
                  {"whorl check experiments/baselines/parity.toml", "whorl check my.toml --out runs/check --json"});
    syntax.positionals = {{"BASELINE"}};
    add_training_devices(syntax.options);
    syntax.options.add_options()("out", po::value<std::string>(), "keep the runs here (default: they are removed)")(
        "json", po::bool_switch(), "for programs");
    const auto parsed = parse(syntax, arguments);
    if (!parsed) return 0;
    const Baseline baseline = read_baseline(load_toml(parsed->first("BASELINE")));
    std::vector<RunSetup> setups;  // all errors before any training
    for (const Gate& gate : baseline.gates) setups.push_back(gate_setup(baseline, gate));
    for (const Gate& gate : baseline.gates)
        if (parsed->has("out"))
            refuse_own_inputs(parsed->text("out"), {parsed->text("out"), parsed->text("out") + "/" + gate.name},
                              {parsed->first("BASELINE"), baseline.recipe});
    const OwnedDevices devices = make_devices(*parsed);
    for (const RunSetup& setup : setups) check_devices(setup, devices.all(), {});
    const Runs runs(*parsed);
    const InterruptGuard guard;
    bool all_hold = true;
    Array values;
    for (std::size_t i = 0; i < setups.size(); ++i) {
        const Gate& gate = baseline.gates[i];
        ProgressLine line(gate.name);
        const SessionResult run =
            train_run(setups[i], open_or_create(runs.of(gate), setups[i]), devices.all(), hooks_for(line));
        line.finish();
        if (run.interrupted) return 128 + InterruptGuard::signal();
        const GateResult result = judge(gate, baseline.confidence, setups[i], run);
        all_hold = all_hold && result.holds;
        parsed->flag("json") ? values.push_back(gate_value(gate, result)) : print_gate(gate, result);
    }
    if (parsed->flag("json"))
        fmt::print("{}\n", write_json({Table{{"baseline", {baseline.name}},
                                             {"confidence", {baseline.confidence}},
                                             {"holds", {all_hold}},
                                             {"gates", {std::move(values)}}}},
                                      2));
    return all_hold ? 0 : 1;
}

}  // namespace whorl::cli
