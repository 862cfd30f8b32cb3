#include "app/check/baseline.hpp"

#include <algorithm>

#include "app/check/binomial.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {

Baseline read_baseline(const Document& document) {
    Baseline baseline;
    read_config(document, baseline);
    return baseline;
}

RunSetup gate_setup(const Baseline& baseline, const Gate& gate) {
    RunSetup setup = set_up(load_recipe(baseline.recipe, gate.set));
    const std::vector<std::int64_t>& sizes = setup.config.test.sizes;
    if (std::find(sizes.begin(), sizes.end(), gate.size) != sizes.end()) return setup;
    std::string known;
    for (const std::int64_t size : sizes) known += (known.empty() ? "" : ", ") + std::to_string(size);
    throw UserError("gate " + in_quotes(gate.name) + ": size " + std::to_string(gate.size) +
                    " is not tested by the recipe; expected one of " + known);
}

GateResult judge(const Gate& gate, double confidence, const RunSetup& setup, const SessionResult& run) {
    const std::vector<std::int64_t>& sizes = run.test.sizes;
    const auto column = static_cast<std::size_t>(std::find(sizes.begin(), sizes.end(), gate.size) - sizes.begin());
    GateResult result;
    for (const double accuracy : run.test.accuracy[column]) {
        ++result.count;
        result.passed += scaled_accuracy(accuracy, setup.data->chance()) >= gate.threshold ? 1 : 0;
    }
    result.lower = lower_pass_rate(result.passed, result.count, confidence);
    result.upper = upper_pass_rate(result.passed, result.count, confidence);
    result.seconds = run.seconds;
    result.holds = (!gate.min_pass_rate || result.lower >= *gate.min_pass_rate) &&
                   (!gate.max_pass_rate || result.upper <= *gate.max_pass_rate);
    return result;
}

}  // namespace whorl
