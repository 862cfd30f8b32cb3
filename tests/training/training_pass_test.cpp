// A batch in parts = the whole batch: same losses, same gradient up to rounding, whatever the threads, with parts of
// unequal length and slots that carry no loss.
#include "core/model/training_pass.hpp"

#include "core/backend/factories.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/model_run.hpp"
#include "tests/support/operation.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr std::int64_t kReplicas = 3, kBatch = 11, kLength = 45;  // parts of 3, 3, 3 and 2 sequences

/// A third of the slots of a sequence is unused; one sequence in four, and all of replica 2's first five, have none.
bool unused(std::int64_t r, std::int64_t b, std::int64_t t) {
    return t % 3 == 1 || b % 4 == 3 || (r == 2 && b < 5);
}

template <class Bound>
void load(const Bound& bound, std::int64_t vocabulary) {
    for (std::int64_t r = 0; r < kReplicas; ++r)
        for (std::int64_t b = 0; b < kBatch; ++b) {
            const auto row = random_tokens(static_cast<std::uint64_t>(r * kBatch + b), 2 * kLength, vocabulary);
            for (std::int64_t t = 0; t < kLength; ++t) {
                const std::int64_t slot = b * kLength + t;
                bound.tokens().template at<std::int32_t>(r, b)[t] = row[static_cast<std::size_t>(t)];
                bound.supervision().row_of.template at<std::int32_t>(r)[slot] =
                    unused(r, b, t) ? -1 : static_cast<std::int32_t>(slot);
                bound.supervision().target.template at<std::int32_t>(r)[slot] =
                    row[static_cast<std::size_t>(kLength + t)];
            }
        }
}

struct Passed {
    std::vector<double> loss, correct, used;  // [R]
    std::vector<std::vector<double>> gradient;
};

std::vector<double> numbers(const Tensor& tensor) {
    std::vector<double> out;
    for (std::int64_t r = 0; r < tensor.replicas(); ++r) out.push_back(*tensor.at<double>(r));
    return out;
}

Passed passed(const LossTensors& losses, const ModelRun& run) {
    Passed result{numbers(losses.loss), numbers(losses.correct), numbers(losses.used), {}};
    for (std::int64_t r = 0; r < kReplicas; ++r) result.gradient.push_back(run.slice_of(run.gradients, r));
    return result;
}

Passed in_parts(ModelRun& run, Backend& backend, int threads, const ModelShape& shape) {
    const auto pass = make_parts_pass(run.model.config(), threads, DType::f64, {});
    pass->bind(shape);
    load(*pass, run.model.config().vocab_size);
    backend.zero(run.gradients, activation_bytes(run.gradients.shape, DType::f64));
    pass->gradient(run.parameters, run.gradients, 0.1);
    return passed(pass->losses(), run);
}

}  // namespace

TEST_CASE("a batch in parts has the losses and the gradient of the whole batch", "[training]") {
    const auto backend = make_cpu_backend(1);
    const ModelShape shape{kReplicas, kBatch, kLength, kBatch * kLength};
    for (const char* preset : {"mamba3", "mamba2", "gdn", "transformer"}) {
        INFO(preset);
        ModelRun run(small_preset(preset), *backend, DType::f64, shape);
        load(run.model, run.model.config().vocab_size);
        backend->zero(run.gradients, activation_bytes(run.gradients.shape, DType::f64));
        run.model.forward(run.parameters);
        run.model.loss_and_gradient(run.parameters, run.gradients, 0.1);
        const Passed whole = passed(run.model.losses(), run);
        const Passed parts = in_parts(run, *backend, 1, shape), shared = in_parts(run, *backend, 3, shape);
        CHECK(parts.used == whole.used);
        CHECK(parts.correct == whole.correct);
        CHECK(relative_error(parts.loss, whole.loss) <= 1e-13);
        for (std::size_t r = 0; r < kReplicas; ++r) {
            CHECK(relative_error(parts.gradient[r], whole.gradient[r]) <= 1e-12);  // sums of ~500 terms, reordered
            CHECK(parts.gradient[r] == shared.gradient[r]);
        }
        CHECK(parts.loss == shared.loss);
    }
}
