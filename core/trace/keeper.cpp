#include "core/trace/keeper.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "core/trace/carried.hpp"

namespace whorl::trace {
namespace {

void check(const std::vector<std::int32_t>& tokens, const std::vector<std::int32_t>& twin) {
    if (tokens.size() != twin.size() || tokens.size() < 2 || tokens.back() != twin.back() || tokens == twin)
        throw std::invalid_argument("find_keepers: texts as long as each other that differ before their last token");
}

/// Two readings up to the last token, and a third to try parts in.
class Patching {
public:
    Patching(const ModelConfig& config, const std::vector<double>& slice, const std::vector<std::int32_t>& tokens,
             const std::vector<std::int32_t>& twin, std::int32_t right)
        : own_(config, slice, static_cast<std::int64_t>(tokens.size())),
          twin_(own_.fork()),
          tried_(own_.fork()),
          last_(tokens.back()),
          right_(right) {
        own_.feed({tokens.begin(), tokens.end() - 1});
        twin_.feed({twin.begin(), twin.end() - 1});
    }

    double margin(const std::vector<StatePart>& replaced) {
        tried_.become(own_);
        for (const StatePart& part : replaced) tried_.replace(part, twin_);
        return margin_of(tried_.feed(last_), right_);
    }
    Parts parts_of_layer(std::int64_t layer) const {
        const ModelConfig& config = own_.config();
        return parts_of(config.layers.at(static_cast<std::size_t>(layer)), config.d_model, own_.position());
    }

private:
    Session own_, twin_, tried_;
    std::int32_t last_, right_;
};

std::vector<RankedPart> ranked(Patching& patching, const Keepers& whole, const std::vector<StatePart>& parts) {
    std::vector<RankedPart> result;
    for (const StatePart& part : parts) {
        RankedPart one{part, patching.margin({part}), 0, 0};
        one.change = whole.margin - one.margin;
        one.share = whole.margin == whole.replaced ? 0 : one.change / (whole.margin - whole.replaced);
        result.push_back(one);
    }
    // Where the twin's state raises the margin, as of a wrong answer, what keeps the answer is what raises it most.
    const double sense = whole.margin < whole.replaced ? -1 : 1;
    std::stable_sort(result.begin(), result.end(),
                     [&](const RankedPart& a, const RankedPart& b) { return sense * a.change > sense * b.change; });
    return result;
}

}  // namespace

std::int32_t most_likely(const std::vector<double>& logits) {
    return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

double margin_of(const std::vector<double>& logits, std::int32_t right) {
    double wrong = -std::numeric_limits<double>::infinity();
    for (std::size_t v = 0; v < logits.size(); ++v)
        if (static_cast<std::int32_t>(v) != right) wrong = std::max(wrong, logits[v]);
    return logits.at(static_cast<std::size_t>(right)) - wrong;
}

Keepers find_keepers(const ModelConfig& config, const std::vector<double>& slice,
                     const std::vector<std::int32_t>& tokens, const std::vector<std::int32_t>& twin, std::int32_t right,
                     const StatePart& within) {
    check(tokens, twin);
    Patching patching(config, slice, tokens, twin, right);
    std::vector<StatePart> layers, heads, pairs;
    for (std::int64_t layer = 0; layer < config.n_layer; ++layer) layers.push_back({layer, -1, -1});
    Keepers result;
    result.margin = patching.margin({});
    result.replaced = patching.margin(layers);
    result.layers = ranked(patching, result, layers);
    const std::int64_t layer = within.layer < 0 ? result.layers.front().part.layer : within.layer;
    const Parts parts = patching.parts_of_layer(layer);
    for (std::int64_t head = 0; head < parts.heads; ++head) heads.push_back({layer, head, -1});
    result.heads = ranked(patching, result, heads);
    for (std::int64_t pair = 0; pair < parts.pairs; ++pair)
        pairs.push_back({layer, within.head < 0 ? result.heads.front().part.head : within.head, pair});
    result.pairs = ranked(patching, result, pairs);
    return result;
}

}  // namespace whorl::trace
