#include "viz/views/dials_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/trace/carried.hpp"

namespace whorl::viz {
namespace {

constexpr std::size_t kTapeTokens = 16;
constexpr double kLeastShare = 0.1;  // of the answer, for a head to be said to keep it

std::string where_text(const Exhibit& exhibit, const Kept& kept, const trace::Steps& steps) {
    const auto& mixer = exhibit.config.layers[static_cast<std::size_t>(kept.part.layer)];
    const trace::Parts parts = trace::parts_of(mixer, exhibit.config.d_model, 0);
    std::string text = exhibit.about;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    if (exhibit.config.n_layer > 1) add(fmt::format("layer {} of {}", kept.part.layer, exhibit.config.n_layer));
    if (parts.heads > 1) add(fmt::format("head {} of {}", kept.part.head, parts.heads));
    if (kept.head_share() < kLeastShare && parts.heads > 1) add("which does not keep this answer");
    if (!std::holds_alternative<Mamba3Config>(mixer)) return text;
    if (parts.pairs > 1) add(fmt::format("pair {} of {}", kept.part.pair, parts.pairs));
    if (steps.channel_share < 0.995) add(fmt::format("{:.0f} % of it in view", 100 * steps.channel_share));
    return text;
}

void label_axes(Dial& dial, const MixerConfig& mixer) {
    dial.x_label = "Re", dial.y_label = "Im";
    if (std::holds_alternative<Mamba2Config>(mixer)) dial.x_label = "main direction", dial.y_label = "";
    if (std::holds_alternative<GatedDeltaNetConfig>(mixer)) dial.x_label = "along the key", dial.y_label = "";
}

Dial dial_of(const Exhibit& exhibit, const Trace& trace, const Kept& kept) {
    const auto& mixer = exhibit.config.layers[static_cast<std::size_t>(kept.part.layer)];
    Dial dial;
    dial.name = exhibit.name;
    dial.role = role_of(mixer);
    dial.steps =
        trace::steps_of(trace, {static_cast<std::size_t>(kept.part.layer), kept.part.head, kept.part.pair, {}});
    dial.about = where_text(exhibit, kept, dial.steps);
    for (const std::int32_t token : trace.tokens) dial.tokens.push_back(text_of(exhibit, token));
    label_axes(dial, mixer);
    return dial;
}

bool carries_state(const MixerConfig& mixer) {
    return !std::holds_alternative<AttentionConfig>(mixer);
}

void check_recurrent(const Exhibit& exhibit) {
    if (!carries_state(exhibit.config.layers[static_cast<std::size_t>(first_recurrent_layer(exhibit.config))]))
        throw UserError(exhibit.name +
                        " is attention in all layers, which keeps no state that turns, slides or flips; "
                        "it can have ask-now");
}

/// The parts on which most hangs, in their own order: from token to token each stays where it is. Bold: the one above.
std::vector<SmallDial> others_of(const Exhibit& exhibit, const Trace& trace, const Kept& kept) {
    const auto& mixer = exhibit.config.layers[static_cast<std::size_t>(kept.part.layer)];
    const bool pairs = std::holds_alternative<Mamba3Config>(mixer);
    const trace::Parts parts = trace::parts_of(mixer, exhibit.config.d_model, 0);
    std::vector<trace::RankedPart> ranked = pairs ? kept.keepers.pairs : kept.keepers.heads;
    if (!kept.patched)
        for (std::int64_t i = 0; i < (pairs ? parts.pairs : parts.heads); ++i)
            ranked.push_back({{kept.part.layer, pairs ? kept.part.head : i, pairs ? i : -1}, 0, 0, 0});
    if (ranked.size() < 2) return {};
    ranked.resize(std::min<std::size_t>(ranked.size(), 8));
    std::sort(ranked.begin(), ranked.end(), [](const trace::RankedPart& a, const trace::RankedPart& b) {
        return std::pair(a.part.head, a.part.pair) < std::pair(b.part.head, b.part.pair);
    });
    std::vector<SmallDial> others;
    for (const trace::RankedPart& one : ranked) {
        Kept there = kept;
        there.part = {one.part.layer, one.part.head, pairs ? one.part.pair : 0};
        std::string title = pairs ? fmt::format("pair {}", one.part.pair) : fmt::format("head {}", one.part.head);
        if (there.part.head == kept.part.head && there.part.pair == kept.part.pair) title = "**" + title + "**";
        if (kept.patched) title += fmt::format(": {} %", std::lround(100 * one.share));
        others.push_back({title, dial_of(exhibit, trace, there)});
    }
    return others;
}

Tape common_tape(const std::vector<Exhibit>& exhibits, const std::vector<std::int32_t>& tokens) {
    Tape tape;
    for (const Exhibit& exhibit : exhibits) {
        Tape own = exhibit.task ? tape_of(exhibit, ask_now(exhibit, tokens), kTapeTokens)
                                : tape_of(exhibit, tokens, kTapeTokens);
        if (tape.tokens.empty()) {
            tape = std::move(own);
        } else {
            if (tape.right.empty()) tape.right = own.right;
            tape.rows.insert(tape.rows.end(), own.rows.begin(), own.rows.end());
        }
    }
    return tape;
}

}  // namespace

DialsData make_dials(const std::vector<Exhibit>& exhibits, const std::vector<std::int32_t>& tokens,
                     const Address& address) {
    DialsData data;
    TraceSelection selection;
    selection.state = false;
    for (const Exhibit& exhibit : exhibits) {
        check_recurrent(exhibit);
        const Kept kept = find_kept(exhibit, tokens, address, carries_state);
        const Trace trace = record_trace(exhibit.config, exhibit.slice, tokens, selection);
        data.dials.push_back(dial_of(exhibit, trace, kept));
        if (exhibits.size() > 1) continue;
        data.others = others_of(exhibit, trace, kept);
    }
    data.tape = common_tape(exhibits, tokens);
    return data;
}

}  // namespace whorl::viz
