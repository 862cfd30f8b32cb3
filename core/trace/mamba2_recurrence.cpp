// A head of Mamba-2: s ← e^{ΔA} s + Δ B x. It only shrinks and adds.
#include "core/trace/recurrence.hpp"

namespace whorl::trace {
namespace {

class Mamba2Recurrence final : public Recurrence {
public:
    Mamba2Recurrence(const TraceLayer& layer, std::int64_t head)
        : head_(head_index(layer, head)),
          dt_(layer, "dt"),
          decay_(layer, "decay"),
          b_(layer, "b"),
          c_(layer, "c"),
          x_(layer, "x") {}
    std::int64_t rows() const override { return b_.extent(2); }
    std::int64_t channels() const override { return x_.extent(2); }
    std::int64_t length() const override { return dt_.extent(0); }

    void advance(std::int64_t t, const Numbers& w, Numbers& state) const override {
        scale(state, decay_(t, head_));
        add_outer_products(state, dt_(t, head_), b(t), along(w, x_.row(t, head_), channels()));
    }

    StepPieces pieces(std::int64_t t, const Numbers& w, const Plane& plane, const Numbers& before) const override {
        StepPieces step;
        const double decay = decay_(t, head_), input = dt_(t, head_) * along(w, x_.row(t, head_), channels())[0];
        step.retention = step.eigenvalue = decay;
        step.linear = {decay, 0, 0, decay};
        step.kept = step.linear * plane.of(before);
        const PlanePoint direction = plane.of(b(t));
        step.now = {input * direction.x, input * direction.y};
        step.read = plane.of(row(c_, t));
        return step;
    }

private:
    Numbers row(const Reading& of, std::int64_t t) const {
        const double* first = of.row(t, head_);
        return {first, first + rows()};
    }
    Numbers b(std::int64_t t) const { return row(b_, t); }

    std::int64_t head_;
    Reading dt_, decay_, b_, c_, x_;
};

}  // namespace

std::unique_ptr<Recurrence> make_mamba2_recurrence(const TraceLayer& layer, std::int64_t head) {
    return std::make_unique<Mamba2Recurrence>(layer, head);
}

}  // namespace whorl::trace
