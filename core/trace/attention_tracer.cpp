// Softmax attention: the weight of every earlier position in each answer.
#include <algorithm>
#include <limits>

#include "core/numerics/rotation.hpp"
#include "core/trace/state_math.hpp"

namespace whorl::trace {
namespace {

class AttentionTracer final : public LayerTracer {
public:
    AttentionTracer(const AttentionConfig& config, const LayerSelection& selection, std::int64_t length)
        : config_(config), k_(config.head_dim), length_(length), selection_(selection), keys_(selection.heads.size()) {}

    void step(const MixerPass& pass, std::int64_t position) override {
        const auto& [in, y] = std::get<OperationPass<AttentionTensors>>(pass);
        for (std::size_t i = 0; i < selection_.heads.size(); ++i) {
            const std::int64_t h = selection_.heads[i];
            keys_[i].push_back(part(in, 1, h, position));
            weight_.put(weights(part(in, 0, h, position), keys_[i]));
            y_.put(y.at<double>() + h * k_, k_);
        }
    }

    std::vector<Series*> series() override { return {&weight_, &y_}; }

    std::unique_ptr<LayerTracer> clone() const override { return std::make_unique<AttentionTracer>(*this); }

private:
    /// Query (0) or key (1) of head h, its pairs (i, i + K/2) turned by the position.
    Numbers part(const AttentionTensors& in, std::int64_t which, std::int64_t h, std::int64_t position) const {
        const std::int64_t half = k_ / 2;
        const double* raw = in.qkv.at<double>() + (which * config_.num_heads + h) * k_;
        Numbers row(raw, raw + k_);
        if (config_.positions == Positions::none) return row;
        for (std::int64_t j = 0; j < half; ++j) {
            double &first = row[static_cast<std::size_t>(j)], &second = row[static_cast<std::size_t>(half + j)];
            const auto turn = numerics::sincos(numerics::rope_angle<double>(position, j, half));
            const auto turned = numerics::rotate<double>({first, second}, turn.cos, turn.sin);
            first = turned.x;
            second = turned.y;
        }
        return row;
    }
    /// softmax(K q / √k), and zeros up to the sequence's length.
    Numbers weights(const Numbers& query, const std::vector<Numbers>& keys) const {
        Numbers result = zeros(length_);
        const double factor = 1 / numerics::sqrt(static_cast<double>(k_));
        double highest = -std::numeric_limits<double>::infinity(), total = 0;
        for (std::size_t j = 0; j < keys.size(); ++j) {
            result[j] = factor * dot(keys[j], query);
            highest = std::max(highest, result[j]);
        }
        for (std::size_t j = 0; j < keys.size(); ++j) total += result[j] = numerics::exp(result[j] - highest);
        scale(result, 1 / total);
        return result;
    }

    AttentionConfig config_;
    std::int64_t k_, length_;
    LayerSelection selection_;
    std::vector<std::vector<Numbers>> keys_;  // of each chosen head, position after position
    Series weight_{"weight", {axis("head", selection_.heads), axis("key_position", length_)}};
    Series y_{"y", {axis("head", selection_.heads), axis("channel", k_)}};
};

}  // namespace

std::unique_ptr<LayerTracer> make_tracer(const AttentionConfig& config, std::int64_t, const LayerSelection& selection,
                                         std::int64_t length) {
    return std::make_unique<AttentionTracer>(config, selection, length);
}

}  // namespace whorl::trace
