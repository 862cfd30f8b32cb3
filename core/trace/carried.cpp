#include "core/trace/carried.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/numerics/rotation.hpp"

namespace whorl::trace {
namespace {

/// Rows [first, first + count) of `width` numbers each.
void copy_rows(const double* from, double* to, std::int64_t first, std::int64_t count, std::int64_t width) {
    std::copy_n(from + first * width, count * width, to + first * width);
}

// --- Mamba-3 ---------------------------------------------------------------------------------------------------------

struct Mamba3Layout {
    Mamba3Layout(const Mamba3Config& config, std::int64_t d_model)
        : heads(config.heads(d_model)),
          angles(config.rotation == Rotation::none ? 0 : config.angles()),
          n(config.d_state),
          p(config.headdim),
          rank(config.rank()),
          neighbours(config.pairing() == RotaryPairing::neighbours) {}
    std::int64_t heads, angles, n, p, rank;
    bool neighbours;

    std::int64_t h() const { return angles; }
    std::int64_t b() const { return h() + n * p; }
    std::int64_t per_head() const { return b() + rank * (n + p); }
    std::int64_t pairs() const { return (n + 1) / 2; }
    /// The pair's channels in rotation order: two, or a last one alone.
    std::vector<std::int64_t> channels(std::int64_t pair) const {
        if (pair < angles) return {pair, angles + pair};
        if (!neighbours) return {angles + pair, n / 2 + pair};
        const std::int64_t first = 2 * pair;
        return first + 1 < n ? std::vector{first, first + 1} : std::vector{first};
    }
};

Parts parts(const Mamba3Config& config, std::int64_t d_model, std::int64_t) {
    const Mamba3Layout layout(config, d_model);
    return {layout.heads, layout.pairs()};
}

void copy_head(const Mamba3Layout& layout, std::int64_t pair, const double* from, double* to) {
    if (pair < 0) {
        std::copy_n(from, layout.per_head(), to);
        return;
    }
    if (pair < layout.angles) to[pair] = from[pair];
    for (const std::int64_t channel : layout.channels(pair)) {
        copy_rows(from + layout.h(), to + layout.h(), channel, 1, layout.p);
        for (std::int64_t r = 0; r < layout.rank; ++r)
            to[layout.b() + r * layout.n + channel] = from[layout.b() + r * layout.n + channel];
    }
}

void copy_mixer(const Mamba3Config& config, std::int64_t d_model, std::int64_t head, std::int64_t pair, std::int64_t,
                const double* from, double* to) {
    const Mamba3Layout layout(config, d_model);
    copy_head(layout, pair, from + head * layout.per_head(), to + head * layout.per_head());
}

Numbers held_by(const Mamba3Config& config, std::int64_t d_model, std::int64_t, const double* state) {
    const Mamba3Layout layout(config, d_model);
    Numbers all;
    for (std::int64_t head = 0; head < layout.heads; ++head, state += layout.per_head()) {
        Numbers h(state + layout.h(), state + layout.b());
        for (std::int64_t j = 0; j < layout.angles; ++j) {
            const auto turn = numerics::sincos(state[j]);
            for (std::int64_t p = 0; p < layout.p; ++p) {
                double &first = h[static_cast<std::size_t>(j * layout.p + p)],
                       &second = h[static_cast<std::size_t>((layout.angles + j) * layout.p + p)];
                const auto still = numerics::rotate_back<double>({first, second}, turn.cos, turn.sin);
                first = still.x;
                second = still.y;
            }
        }
        all.insert(all.end(), h.begin(), h.end());
    }
    return all;
}

// --- Mamba-2 and Gated DeltaNet: [head][row, column] -----------------------------------------------------------------

struct PlainLayout {
    std::int64_t heads, rows, columns;
};
PlainLayout layout_of(const Mamba2Config& config, std::int64_t d_model) {
    return {config.heads(d_model), config.d_state, config.headdim};
}
PlainLayout layout_of(const GatedDeltaNetConfig& config, std::int64_t) {
    return {config.v_heads(), config.head_dim, config.head_v_dim()};
}

template <class Config>
Parts parts(const Config& config, std::int64_t d_model, std::int64_t) {
    const PlainLayout layout = layout_of(config, d_model);
    return {layout.heads, (layout.rows + 1) / 2};
}
template <class Config>
void copy_mixer(const Config& config, std::int64_t d_model, std::int64_t head, std::int64_t pair, std::int64_t,
                const double* from, double* to) {
    const PlainLayout layout = layout_of(config, d_model);
    const std::int64_t first = pair < 0 ? 0 : 2 * pair, count = pair < 0 ? layout.rows : 2;
    const std::int64_t offset = head * layout.rows * layout.columns;
    copy_rows(from + offset, to + offset, first, std::min(count, layout.rows - first), layout.columns);
}
template <class Config>
Numbers held_by(const Config& config, std::int64_t d_model, std::int64_t, const double* state) {
    const PlainLayout layout = layout_of(config, d_model);
    return {state, state + layout.heads * layout.rows * layout.columns};
}

// --- attention -------------------------------------------------------------------------------------------------------

Parts parts(const AttentionConfig& config, std::int64_t, std::int64_t position) {
    return {config.num_heads, position};
}
void copy_mixer(const AttentionConfig& config, std::int64_t, std::int64_t head, std::int64_t pair,
                std::int64_t position, const double* from, double* to) {
    const std::int64_t k = config.head_dim, row = padded(2 * config.num_heads * k, DType::f64);
    const std::int64_t first = pair < 0 ? 0 : pair, count = pair < 0 ? position : 1;
    for (std::int64_t t = first; t < first + count; ++t)
        for (const std::int64_t part : {head, config.num_heads + head})
            std::copy_n(from + t * row + part * k, k, to + t * row + part * k);
}
Numbers held_by(const AttentionConfig& config, std::int64_t, std::int64_t position, const double* state) {
    const std::int64_t width = 2 * config.num_heads * config.head_dim, row = padded(width, DType::f64);
    Numbers all;
    for (std::int64_t t = 0; t < position; ++t) all.insert(all.end(), state + t * row, state + t * row + width);
    return all;
}

}  // namespace

Parts parts_of(const MixerConfig& mixer, std::int64_t d_model, std::int64_t position) {
    return std::visit([&](const auto& config) { return parts(config, d_model, position); }, mixer);
}

void copy_part(const MixerConfig& mixer, std::int64_t d_model, std::int64_t head, std::int64_t pair,
               std::int64_t position, const MixerState& from, const MixerState& to) {
    const auto copy = [&](const auto& config) {
        copy_mixer(config, d_model, head, pair, position, from.mixer.at<double>(), to.mixer.at<double>());
    };
    std::visit(copy, mixer);
}

void turn_pair(const MixerConfig& mixer, std::int64_t d_model, std::int64_t head, std::int64_t pair, double by,
               const MixerState& state) {
    const auto* mamba3 = std::get_if<Mamba3Config>(&mixer);
    if (mamba3 == nullptr) throw std::invalid_argument("turn_pair: not of Mamba-3");
    const Mamba3Layout layout(*mamba3, d_model);
    if (head < 0 || head >= layout.heads || pair < 0 || pair >= layout.angles)
        throw std::invalid_argument("turn_pair: no pair that turns");
    state.mixer.at<double>()[head * layout.per_head() + pair] += by;
}

Numbers held(const MixerConfig& mixer, std::int64_t d_model, std::int64_t position, const MixerState& state) {
    const auto read = [&](const auto& config) { return held_by(config, d_model, position, state.mixer.at<double>()); };
    return std::visit(read, mixer);
}

}  // namespace whorl::trace
