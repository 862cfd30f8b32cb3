// A head of Gated DeltaNet: s ← e^g (I - β k kᵀ) s + β k v. Along the key it shrinks or flips, across it it is kept.
#include "core/trace/recurrence.hpp"

namespace whorl::trace {
namespace {

class GatedDeltaRecurrence final : public Recurrence {
public:
    GatedDeltaRecurrence(const TraceLayer& layer, std::int64_t head)
        : head_(head_index(layer, head)),
          decay_(layer, "decay"),
          beta_(layer, "beta"),
          eigenvalue_(layer, "eigenvalue"),
          key_(layer, "key"),
          query_(layer, "query"),
          value_(layer, "value") {}
    std::int64_t rows() const override { return key_.extent(2); }
    std::int64_t channels() const override { return value_.extent(2); }
    std::int64_t length() const override { return decay_.extent(0); }

    void advance(std::int64_t t, const Numbers& w, Numbers& state) const override {
        const Numbers key = row(key_, t);
        Numbers missing = along(w, value_.row(t, head_), channels());
        scale(state, decay_(t, head_));
        const Numbers there = read(state, key);
        for (std::size_t i = 0; i < missing.size(); ++i) missing[i] -= there[i];
        add_outer_products(state, beta_(t, head_), key, missing);
    }

    /// The main direction of what is written along (Σ β k kᵀ), and the main one of the state across it.
    Plane plane(const Numbers& energy) const override {
        const auto n = static_cast<std::size_t>(rows());
        Numbers written(n * n, 0.0);
        for (std::int64_t t = 0; t < length(); ++t)
            add_outer_products(written, beta_(t, head_), row(key_, t), row(key_, t));
        // The rest of both, so that there is a second direction even where the state has only one.
        const Numbers first = directions(written, rows())[0];
        Numbers across = energy;
        for (std::size_t i = 0; i < across.size(); ++i) across[i] += 1e-6 * written[i];
        for (std::size_t i = 0; i < n; ++i) across[i * n + i] += 1e-12;
        project_out(across, first);
        return {first, directions(across, rows())[0]};
    }

    StepPieces pieces(std::int64_t t, const Numbers& w, const Plane& plane, const Numbers& before) const override {
        const Numbers key = row(key_, t);
        const double decay = decay_(t, head_), beta = beta_(t, head_);
        const double input = beta * along(w, value_.row(t, head_), channels())[0];
        const PlanePoint k = plane.of(key), u = plane.of(before);
        StepPieces step;
        step.key = k;
        step.retention = decay;
        step.eigenvalue = eigenvalue_(t, head_);
        const double flip = decay * beta;
        step.linear = {decay - flip * k.x * k.x, -flip * k.x * k.y, -flip * k.x * k.y, decay - flip * k.y * k.y};
        step.kept = step.linear * u;
        step.now = {input * k.x, input * k.y};
        const double outside = -flip * (dot(key, before) - (k.x * u.x + k.y * u.y));
        step.hidden = {outside * k.x, outside * k.y};
        step.read = plane.of(row(query_, t));
        return step;
    }

private:
    Numbers row(const Reading& of, std::int64_t t) const {
        const double* first = of.row(t, head_);
        return {first, first + rows()};
    }
    /// (I - d dᵀ) matrix (I - d dᵀ)
    static void project_out(Numbers& matrix, const Numbers& d) {
        const std::size_t n = d.size();
        for (const bool columns : {false, true})
            for (std::size_t i = 0; i < n; ++i) {
                double part = 0;
                const auto at = [&](std::size_t j) -> double& { return matrix[columns ? j * n + i : i * n + j]; };
                for (std::size_t j = 0; j < n; ++j) part += at(j) * d[j];
                for (std::size_t j = 0; j < n; ++j) at(j) -= part * d[j];
            }
    }

    std::int64_t head_;
    Reading decay_, beta_, eigenvalue_, key_, query_, value_;
};

}  // namespace

std::unique_ptr<Recurrence> make_gated_delta_recurrence(const TraceLayer& layer, std::int64_t head) {
    return std::make_unique<GatedDeltaRecurrence>(layer, head);
}

}  // namespace whorl::trace
