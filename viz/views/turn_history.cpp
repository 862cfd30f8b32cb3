#include "viz/views/turn_history.hpp"

#include <algorithm>
#include <cmath>

#include "core/trace/reading.hpp"
#include "tasks/example.hpp"
#include "viz/panels/degrees.hpp"
#include "viz/views/ledger_view.hpp"

namespace whorl::viz {
namespace {

constexpr std::int64_t kPatchedSize = 17;  // short: the answer is right there if anywhere
constexpr std::int64_t kMostTokens = 8;    // more lines than that nobody tells apart

bool turns_by_token(const ModelConfig& config) {
    const auto* mixer = std::get_if<Mamba3Config>(&config.layers.at(0));
    return mixer != nullptr && mixer->rotation == Rotation::data_dependent && mixer->short_conv == 0;
}

/// The tokens that an example's content is made of, in their order.
std::vector<std::int32_t> content_tokens(const DataSource& data) {
    std::vector<std::int32_t> seen;
    for (std::uint64_t i = 0; i < 16; ++i) {
        const std::int64_t size = std::max(data.min_size(), kPatchedSize);
        const Example example = make_example(data, {0, Split::test, 0, i, {size, size}});
        seen.insert(seen.end(), example.tokens.begin(), example.tokens.end());
    }
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    if (static_cast<std::int64_t>(seen.size()) > kMostTokens) seen.resize(static_cast<std::size_t>(kMostTokens));
    return seen;
}

std::vector<std::int64_t> pairs_of(const Kept& kept, const Address& address) {
    if (address.pair || !kept.patched) return {kept.part.pair};
    std::vector<std::int64_t> pairs;
    for (const auto& ranked : kept.keepers.pairs)
        if (pairs.size() < kMostPairs) pairs.push_back(ranked.part.pair);
    return pairs;
}

/// So that each pair's largest final turn is positive.
void orient(TurnHistory& turns) {
    for (std::size_t p = 0; p < turns.pairs.size(); ++p) {
        double largest = 0;
        for (const auto& token : turns.turn)
            if (std::abs(token[p].back()) > std::abs(largest)) largest = token[p].back();
        if (largest >= 0) continue;
        for (auto& token : turns.turn)
            for (double& turn : token[p]) turn = -turn;
    }
}

// Where the modulus is 2 half a turn is owed whichever way the pair goes; for others each pair has its own multiple.
std::vector<double> owed_turns(const Task& task, const std::vector<std::int32_t>& tokens) {
    const auto owed = owed_by(task);
    std::vector<double> turns;
    if (!owed || owed->modulus != 2) return turns;
    for (const std::int32_t token : tokens)
        turns.push_back(180 * static_cast<double>(owed->addend[static_cast<std::size_t>(token)]));
    return turns;
}

}  // namespace

std::vector<std::vector<double>> turns_of(const ModelConfig& config, const std::vector<double>& slice,
                                          const std::vector<std::int32_t>& tokens, std::int64_t head) {
    TraceSelection selection;
    selection.layers = {0}, selection.heads = {head}, selection.state = false;
    const Trace trace = record_trace(config, slice, tokens, selection);
    const Reading dt(trace.layers.front(), "dt"), theta(trace.layers.front(), "theta");
    std::vector<std::vector<double>> turns(tokens.size());
    for (std::size_t t = 0; t < tokens.size(); ++t)
        for (std::int64_t pair = 0; pair < theta.extent(1); ++pair)
            turns[t].push_back(kDegrees * dt(t, 0) * theta(t, pair));
    return turns;
}

std::optional<TurnHistory> turn_history(const Exhibit& exhibit, const std::vector<Moment>& moments,
                                        const Address& address) {
    if (!turns_by_token(exhibit.config) || !exhibit.task || moments.size() < 2) return std::nullopt;
    const auto data = make_data_source(*exhibit.task);
    Exhibit last = exhibit;
    last.slice = moments.back().slice;
    const std::int64_t size = std::max(data->min_size(), kPatchedSize);
    const Kept kept = find_kept(last, make_example(*data, {0, Split::test, 0, 0, {size, size}}).tokens,
                                {0, address.head, address.pair});
    const std::vector<std::int32_t> tokens = content_tokens(*data);
    TurnHistory history;
    history.layer = 0, history.head = kept.part.head;
    history.pairs = pairs_of(kept, address);
    for (const std::int32_t token : tokens) history.tokens.push_back(text_of(exhibit, token));
    history.turn.assign(tokens.size(), std::vector<std::vector<double>>(history.pairs.size()));
    for (const Moment& moment : moments) {
        history.steps.push_back(moment.step);
        const auto turns = turns_of(exhibit.config, moment.slice, tokens, history.head);
        // A pair without an angle of its own (rope_fraction) does not turn.
        for (std::size_t t = 0; t < tokens.size(); ++t)
            for (std::size_t p = 0; p < history.pairs.size(); ++p) {
                const auto pair = static_cast<std::size_t>(history.pairs[p]);
                history.turn[t][p].push_back(pair < turns[t].size() ? turns[t][pair] : 0.0);
            }
    }
    orient(history);
    history.owed = owed_turns(*exhibit.task, tokens);
    return history;
}

}  // namespace whorl::viz
