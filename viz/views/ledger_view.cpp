#include "viz/views/ledger_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/trace/layer_tracer.hpp"
#include "core/trace/reading.hpp"
#include "viz/data/ask_now.hpp"
#include "viz/panels/degrees.hpp"

namespace whorl::viz {
namespace {

/// x to (-π, π]
double wrapped(double x) {
    return x - 2 * kPi * std::round(x / (2 * kPi));
}

// --- what each token owes --------------------------------------------------------------------------------------------

struct OwedBy {
    std::optional<Owed> operator()(const Parity& task) const {
        return sum(task.vocabulary(), 2, "bits", [](std::int32_t token) { return token - Parity::kZero; });
    }
    std::optional<Owed> operator()(const ModularSum& task) const {
        return sum(task.vocabulary(), task.modulus, "digits",
                   [](std::int32_t token) { return token - ModularSum::kZero; });
    }
    template <class Other>
    std::optional<Owed> operator()(const Other&) const {
        return std::nullopt;
    }

private:
    template <class Addend>
    static Owed sum(std::int64_t vocabulary, std::int64_t modulus, const char* unit, const Addend& addend) {
        Owed owed{modulus, {}, unit};
        for (std::int32_t token = 0; token < vocabulary; ++token) {
            const std::int64_t d = addend(token);
            owed.addend.push_back(d >= 0 && d < modulus ? d : 0);
        }
        return owed;
    }
};

/// Mean of the turns at each token; NaN for one that does not occur.
std::vector<double> mean_turns(const std::vector<double>& turns, const std::vector<std::int32_t>& tokens,
                               std::size_t vocabulary) {
    std::vector<double> sum(vocabulary, 0.0), count(vocabulary, 0.0);
    for (std::size_t t = 0; t < turns.size(); ++t) {
        sum[static_cast<std::size_t>(tokens[t])] += turns[t];
        count[static_cast<std::size_t>(tokens[t])] += 1;
    }
    for (std::size_t v = 0; v < vocabulary; ++v)
        sum[v] = count[v] > 0 ? sum[v] / count[v] : std::numeric_limits<double>::quiet_NaN();
    return sum;
}

/// What a pair owes at each token, radians: 2πkd/m with the k that suits its mean turns best, each taken so many whole
/// turns away that it lies nearest to what the pair does.
std::vector<double> fitted(const Owed& owed, const std::vector<double>& means) {
    const double unit = 2 * kPi / static_cast<double>(owed.modulus);
    std::int64_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::int64_t k = 0; k < owed.modulus; ++k) {
        double misfit = 0;
        for (std::size_t v = 0; v < means.size(); ++v) {
            if (std::isnan(means[v])) continue;
            const double off = wrapped(means[v] - unit * static_cast<double>(k * owed.addend[v]));
            misfit += off * off;
        }
        if (misfit < least) least = misfit, best = k;
    }
    std::vector<double> angles;
    for (std::size_t v = 0; v < means.size(); ++v) {
        const double angle = unit * static_cast<double>(best * owed.addend[v]);
        angles.push_back(std::isnan(means[v]) ? angle : means[v] - wrapped(means[v] - angle));
    }
    return angles;
}

// --- one model -------------------------------------------------------------------------------------------------------

/// What is added by hand at each token of the vocabulary, degrees; empty: nothing.
using Added = std::vector<double>;

/// What it owes follows from what it turned by itself.
LedgerPair booked(const TraceLayer& layer, std::int64_t head, const trace::RankedPart& ranked, const Owed& owed,
                  const std::vector<std::int32_t>& tokens, const std::vector<std::int32_t>& symbols,
                  const Added& added) {
    const Reading dt(layer, "dt"), theta(layer, "theta");
    const std::int64_t h = head_index(layer, head);
    LedgerPair pair;
    pair.pair = ranked.part.pair;
    pair.share = ranked.share;
    std::vector<double> turns;
    for (std::size_t t = 0; t < tokens.size(); ++t) turns.push_back(dt(t, h) * theta(t, pair.pair));
    const std::vector<double> means = mean_turns(turns, tokens, owed.addend.size());
    const std::vector<double> angles = fitted(owed, means);
    std::vector<double> split(owed.addend.size(), 0.0);
    double drift = 0, as_is = 0;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        const auto token = static_cast<std::size_t>(tokens[t]);
        const double own = (turns[t] - angles[token]) * kDegrees, off = own + (added.empty() ? 0 : added[token]);
        if (!added.empty()) pair.as_is.push_back(as_is += own);
        split[token] += off;
        pair.drift.push_back(drift += off);
    }
    for (const std::int32_t symbol : symbols) {
        pair.by_token.push_back(split[static_cast<std::size_t>(symbol)]);
        const auto token = static_cast<std::size_t>(symbol);
        pair.turn_of_token.push_back(means[token] * kDegrees + (added.empty() ? 0 : added[token]));
    }
    return pair;
}

bool turns_by_data(const MixerConfig& mixer) {
    const auto* mamba3 = std::get_if<Mamba3Config>(&mixer);
    return mamba3 != nullptr && mamba3->rotation == Rotation::data_dependent;
}

void check_turning(const Exhibit& exhibit) {
    if (std::any_of(exhibit.config.layers.begin(), exhibit.config.layers.end(), turns_by_data)) return;
    throw UserError("ledger: " + exhibit.name +
                    " has no state that turns by its data, so no angles to book; it can have dials, ask-now and "
                    "training");
}

Owed owed_by_exhibit(const Exhibit& exhibit) {
    const auto owed = exhibit.task ? owed_by(*exhibit.task) : std::nullopt;
    if (!owed)
        throw UserError(
            fmt::format("ledger: {} is no sum of its tokens, so nothing says what angle they owe; it can "
                        "have dials and ask-now (a ledger: parity, modular_sum)",
                        exhibit.task ? "the answer of " + name_of_task(*exhibit.task) : "an unknown task"));
    return *owed;
}

std::vector<std::int32_t> symbols_of(const std::vector<std::int32_t>& tokens) {
    std::vector<std::int32_t> symbols = tokens;
    std::sort(symbols.begin(), symbols.end());
    symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
    return symbols;
}

std::vector<trace::RankedPart> turning_pairs(const Kept& kept, const Mamba3Config& config) {
    std::vector<trace::RankedPart> pairs;
    for (const trace::RankedPart& one : kept.keepers.pairs)
        if (one.part.pair < config.angles()) pairs.push_back(one);
    if (kept.keepers.pairs.empty()) pairs.push_back({kept.part, 0, 0, 0});
    // The pair asked for comes first.
    std::stable_partition(pairs.begin(), pairs.end(), [&](const auto& one) { return one.part.pair == kept.part.pair; });
    return pairs;
}

void check_tokens(const Exhibit& exhibit, const FurtherTurns& further, std::size_t vocabulary) {
    std::vector<std::string> texts;
    for (std::size_t token = 0; token < vocabulary; ++token)
        texts.push_back(text_of(exhibit, static_cast<std::int32_t>(token)));
    for (const auto& [token, degrees] : further)
        if (std::find(texts.begin(), texts.end(), token) == texts.end())
            throw UserError("ledger: no token " + in_quotes(token) + " to turn further" + suggestion(token, texts));
}

Added added_of(const Exhibit& exhibit, const FurtherTurns& further, std::size_t vocabulary) {
    Added added;
    for (std::size_t token = 0; token < vocabulary; ++token) {
        const auto found = further.find(text_of(exhibit, static_cast<std::int32_t>(token)));
        if (found == further.end() || found->second == 0) continue;
        added.resize(vocabulary, 0.0);
        added[token] = found->second;
    }
    return added;
}

/// The answers with θ of one pair changed. A layer's heads share it, each by its own Δ: the kept head's turn changes by
/// what is asked for, those of the others in proportion. Their Δ come from below the layer, where nothing changes.
AskedText asked_with(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const TraceLayer& layer,
                     const trace::StatePart& pair, const Added& added) {
    if (added.empty()) return ask_now(exhibit, tokens);
    const Reading dt(layer, "dt");
    const auto& mixer = std::get<Mamba3Config>(exhibit.config.layers[static_cast<std::size_t>(pair.layer)]);
    AskNow how;
    how.before = [&, heads = mixer.heads(exhibit.config.d_model)](trace::Session& reading, std::int32_t token) {
        const auto t = static_cast<std::size_t>(reading.position());
        const double theta = added[static_cast<std::size_t>(token)] / kDegrees / dt(t, head_index(layer, pair.head));
        for (std::int64_t head = 0; head < heads; ++head)
            reading.turn({pair.layer, head, pair.pair}, theta * dt(t, head_index(layer, head)));
    };
    return ask_now(exhibit, tokens, how);
}

LedgerModel ledger_of(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const Owed& owed,
                      const Address& address, const FurtherTurns& further) {
    check_known(exhibit, tokens);
    check_turning(exhibit);
    const Kept kept = find_kept(exhibit, tokens, address, turns_by_data);
    const auto& mixer = std::get<Mamba3Config>(exhibit.config.layers[static_cast<std::size_t>(kept.part.layer)]);
    TraceSelection selection{{kept.part.layer}, {}, false, {}};
    const Trace trace = record_trace(exhibit.config, exhibit.slice, tokens, selection);
    const std::vector<std::int32_t> symbols = symbols_of(tokens);
    LedgerModel model;
    model.name = exhibit.name;
    model.about = exhibit.about + (exhibit.about.empty() ? "" : ", ") +
                  fmt::format("head {} of {}", kept.part.head, mixer.heads(exhibit.config.d_model));
    model.role = role_of(exhibit.config);
    for (const std::int32_t symbol : symbols) model.symbols.push_back(text_of(exhibit, symbol));
    for (const std::int32_t token : tokens)
        model.text.push_back(
            static_cast<std::size_t>(std::lower_bound(symbols.begin(), symbols.end(), token) - symbols.begin()));
    check_tokens(exhibit, further, owed.addend.size());
    const Added added = added_of(exhibit, further, owed.addend.size());
    for (const trace::RankedPart& one : turning_pairs(kept, mixer))
        model.pairs.push_back(
            booked(trace.layers[0], kept.part.head, one, owed, tokens, symbols, model.pairs.empty() ? added : Added{}));
    trace::StatePart first = kept.part;
    first.pair = model.pairs.at(0).pair;
    for (const auto& answer : asked_with(exhibit, tokens, trace.layers[0], first, added).answers)
        model.margin.push_back(answer ? answer->margin : std::numeric_limits<double>::quiet_NaN());
    return model;
}

}  // namespace

std::optional<Owed> owed_by(const Task& task) {
    return std::visit(OwedBy{}, task);
}

LedgerData make_ledger(const std::vector<Exhibit>& exhibits, const std::vector<std::int32_t>& tokens,
                       std::int64_t trained_size, const Address& address, const FurtherTurns& further) {
    const Owed owed = owed_by_exhibit(exhibits.at(0));
    LedgerData data;
    data.length = tokens.size();
    data.modulus = owed.modulus;
    data.unit = owed.unit;
    data.trained_size = trained_size;
    for (const Exhibit& exhibit : exhibits) {
        if (owed_by_exhibit(exhibit).modulus != owed.modulus)
            throw UserError(fmt::format(
                "ledger: {} answers {} and {} {}, whose tokens owe other angles; take models of "
                "one task",
                exhibits[0].name, name_of_task(*exhibits[0].task), exhibit.name, name_of_task(*exhibit.task)));
        data.models.push_back(ledger_of(exhibit, tokens, owed, address, further));
    }
    for (const auto& [token, degrees] : further)
        if (degrees != 0)
            data.changed += fmt::format("{}each {} turned {:.3g}° {}", data.changed.empty() ? "" : " and ", token,
                                        std::abs(degrees), degrees > 0 ? "further" : "less");
    return data;
}

}  // namespace whorl::viz
