#include "viz/data/kept.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/trace/carried.hpp"
#include "tasks/question.hpp"

namespace whorl::viz {
namespace {

using trace::StatePart;

constexpr std::size_t kPatchedTokens = 24;

/// Two texts that end alike, and the right answer to the first.
struct Twins {
    std::vector<std::int32_t> own, other;
    std::int32_t right = 0;
};

bool usable(const Twins& twins) {
    return twins.own.size() > 1 && twins.own.back() == twins.other.back() && twins.own != twins.other;
}

std::optional<Twins> twins_by_task(const Task& task, const std::vector<std::int32_t>& tokens) {
    const auto asked = question(task, tokens);
    auto other = twin(task, tokens);
    if (!asked || !other) return std::nullopt;
    Twins twins{tokens, std::move(*other), asked->answer.front()};
    twins.own.insert(twins.own.end(), asked->append.begin(), asked->append.end());
    twins.other.insert(twins.other.end(), asked->append.begin(), asked->append.end());
    return usable(twins) ? std::optional(twins) : std::nullopt;
}

std::optional<Twins> twins_without_task(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens) {
    trace::Session reading(exhibit.config, exhibit.slice, static_cast<std::int64_t>(tokens.size()));
    Twins twins{tokens, tokens, trace::most_likely(reading.feed(tokens))};
    twins.other[0] = static_cast<std::int32_t>((tokens[0] + 1) % exhibit.config.vocab_size);
    return usable(twins) ? std::optional(twins) : std::nullopt;
}

void check_index(const std::optional<std::int64_t>& index, std::int64_t count, const char* flag,
                 const std::string& what) {
    if (!index || (*index >= 0 && *index < count)) return;
    throw UserError(std::string(flag) + " " + std::to_string(*index) + ": " + what + " 0.." +
                    std::to_string(count - 1));
}

std::string layer_text(const ModelConfig& config, std::int64_t layer) {
    return "layer " + std::to_string(layer) + " (" + mixer_type(config.layers[static_cast<std::size_t>(layer)]) + ")";
}

/// The text that is patched: the whole, or its beginning where that can be asked about as well.
std::vector<std::int32_t> patched_text(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens) {
    if (!exhibit.task || tokens.size() <= kPatchedTokens) return tokens;
    const std::vector<std::int32_t> begin(tokens.begin(), tokens.begin() + kPatchedTokens);
    const auto asked = question(*exhibit.task, begin);
    return asked && asked->append.empty() ? begin : tokens;
}

std::optional<Twins> twins_of(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens) {
    const std::vector<std::int32_t> text = patched_text(exhibit, tokens);
    const auto twins = exhibit.task ? twins_by_task(*exhibit.task, text) : twins_without_task(exhibit, text);
    if (twins)
        check_known(exhibit, twins->own), check_known(exhibit, twins->other), check_known(exhibit, {twins->right});
    return twins;
}

class Search {
public:
    Search(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const Address& address, const Suits& suits)
        : exhibit_(exhibit), address_(address), suits_(suits), length_(static_cast<std::int64_t>(tokens.size())) {
        check_index(address.layer, config().n_layer, "--layer", "the model has layers");
        check_known(exhibit, tokens);
        if (address.layer && !suit(*address.layer))
            throw UserError("--layer " + std::to_string(*address.layer) + ": " + layer_text(config(), *address.layer) +
                            " has not what this figure shows; try " + std::to_string(first_that_suits()));
        twins_ = twins_of(exhibit, tokens);
    }

    Kept kept() const {
        Kept kept;
        kept.patched = twins_.has_value();
        kept.part = {address_.layer.value_or(first_that_suits()), address_.head.value_or(0), address_.pair.value_or(0)};
        if (!twins_) {
            check_parts(kept.part.layer);
            return kept;
        }
        if (!address_.layer) kept.part.layer = best_that_suits();
        check_parts(kept.part.layer);
        kept.keepers = keepers({kept.part.layer, address_.head.value_or(-1), -1});
        const StatePart& best = kept.keepers.pairs.front().part;
        kept.part = {best.layer, best.head, address_.pair.value_or(best.pair)};
        return kept;
    }

private:
    const ModelConfig& config() const { return exhibit_.config; }
    const MixerConfig& mixer(std::int64_t layer) const { return config().layers[static_cast<std::size_t>(layer)]; }
    bool suit(std::int64_t layer) const { return !suits_ || suits_(mixer(layer)); }
    std::int64_t first_that_suits() const {
        if (!suits_) return first_recurrent_layer(config());
        std::int64_t layer = 0;
        while (layer + 1 < config().n_layer && !suit(layer)) ++layer;
        return layer;
    }
    trace::Keepers keepers(const StatePart& within) const {
        return trace::find_keepers(config(), exhibit_.slice, twins_->own, twins_->other, twins_->right, within);
    }
    std::int64_t best_that_suits() const {
        for (const trace::RankedPart& one : keepers({first_that_suits(), 0, -1}).layers)
            if (suit(one.part.layer)) return one.part.layer;
        return first_that_suits();
    }
    void check_parts(std::int64_t layer) const {
        const trace::Parts parts = trace::parts_of(mixer(layer), config().d_model, length_);
        check_index(address_.head, parts.heads, "--head", layer_text(config(), layer) + " has heads");
        check_index(address_.pair, parts.pairs, "--pair", layer_text(config(), layer) + " has pairs of state channels");
    }

    const Exhibit& exhibit_;
    const Address& address_;
    const Suits& suits_;
    std::int64_t length_;
    std::optional<Twins> twins_;
};

}  // namespace

double Kept::head_share() const {
    for (const trace::RankedPart& one : keepers.heads)
        if (one.part.head == part.head) return one.share;
    return 0;
}

Kept find_kept(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const Address& address,
               const Suits& suits) {
    return Search(exhibit, tokens, address, suits).kept();
}

}  // namespace whorl::viz
