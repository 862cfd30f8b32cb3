// A packed batch = the whole one: same losses, same gradient up to rounding, whatever stands behind a sequence's last
// supervised position, and whatever the memory held before.
#include <algorithm>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/model_run.hpp"
#include "tests/support/operation.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr std::int64_t kReplicas = 2, kBatch = 11, kSlots = 2;  // kSlots: of a sequence

/// Where sequence b ends; other sequences in the other replica. Empty ones stand first, last and in between.
std::int64_t length_of(std::int64_t r, std::int64_t b, std::int64_t most) {
    constexpr std::int64_t lengths[kBatch] = {0, 1, 70, 3, 0, 16, 48, 49, 64, 65, 0};
    return std::min(most, lengths[r == 0 ? b : (b * 4 + 3) % kBatch]);
}

void load(Backend& backend, ModelRun& run, std::int64_t most, std::uint64_t seed_behind) {
    std::vector<std::int32_t> rows, targets;
    const Tensor& tokens = run.model.tokens();
    const std::int64_t vocabulary = run.model.config().vocab_size;
    for (std::int64_t r = 0; r < kReplicas; ++r)
        for (std::int64_t b = 0; b < kBatch; ++b) {
            const std::int64_t length = length_of(r, b, most);
            auto line = random_tokens(static_cast<std::uint64_t>(r * kBatch + b), most, vocabulary);
            const auto behind = random_tokens(seed_behind, most, vocabulary);
            std::copy(behind.begin() + length, behind.end(), line.begin() + length);
            Tensor to = tokens;
            to.data = reinterpret_cast<std::byte*>(to.at<std::int32_t>(r, b));
            backend.upload(to, line.data(), most * 4);
            // The first slot in the middle of the sequence, the last one at its end; used in order.
            const auto row = [&](std::int64_t t) { return static_cast<std::int32_t>(b * most + t); };
            rows.push_back(length == 0 ? -1 : length == 1 ? row(0) : row(length / 2 - 1));
            rows.push_back(length < 2 ? -1 : row(length - 1));
            targets.insert(targets.end(), {line[0], line[1]});
        }
    const Supervision& supervision = run.model.supervision();
    for (std::int64_t r = 0; r < kReplicas; ++r)
        for (const auto& [tensor, from] : {std::pair{supervision.row_of, &rows}, {supervision.target, &targets}}) {
            Tensor to = tensor;
            to.data = reinterpret_cast<std::byte*>(to.at<std::int32_t>(r));
            backend.upload(to, from->data() + r * kBatch * kSlots, kBatch * kSlots * 4);
        }
}

struct Passed {
    std::vector<double> loss, gradient;
};

Passed pass(Backend& backend, const ModelConfig& config, DType dtype, std::int64_t most, bool packed,
            std::uint64_t seed_behind) {
    ModelShape shape{kReplicas, kBatch, most, kBatch * kSlots};
    shape.packed = packed;
    ModelRun run(config, backend, dtype, shape);
    std::vector<std::vector<double>> values;
    for (std::int64_t r = 0; r < kReplicas; ++r) {
        values.push_back(run.slice_of(run.parameters, r));
        run.upload_parameters(r, std::vector<double>(values.back().size(), std::numeric_limits<double>::quiet_NaN()));
    }
    run.gradient();  // of random data: whatever the model computes in is NaN from here on
    for (std::int64_t r = 0; r < kReplicas; ++r) run.upload_parameters(r, values[static_cast<std::size_t>(r)]);
    load(backend, run, most, seed_behind);
    run.gradient();
    Passed result;
    for (std::int64_t r = 0; r < kReplicas; ++r) {
        result.loss.push_back(run.loss(r));
        const auto slice = run.slice_of(run.gradients, r);
        result.gradient.insert(result.gradient.end(), slice.begin(), slice.end());
    }
    return result;
}

void check_packed(Backend& backend, const ModelConfig& config, DType dtype, std::int64_t most) {
    INFO(backend.describe() << ", " << (dtype == DType::f64 ? "double" : "float") << ", " << most);
    const Passed whole = pass(backend, config, dtype, most, false, 5),
                 packed = pass(backend, config, dtype, most, true, 5),
                 other = pass(backend, config, dtype, most, true, 6);
    const double tolerance = dtype == DType::f64 ? 1e-12 : 2e-5;  // sums of ~400 rows, reordered
    CHECK(relative_error(packed.loss, whole.loss) <= tolerance);
    CHECK(relative_error(packed.gradient, whole.gradient) <= tolerance);
    CHECK((packed.loss == other.loss));
    CHECK((packed.gradient == other.gradient));
}

}  // namespace

TEST_CASE("a packed batch has the losses and the gradient of the whole batch", "[training]") {
    for (Backend* backend : judged_backends()) {
        if (!backend->packs_batches()) continue;
        for (const char* preset : {"mamba3", "mamba3-mimo", "mamba2", "gdn", "transformer"})
            for (const DType dtype : {DType::f64, DType::f32})
                for (const std::int64_t most : {40, 70})  // one tile of attention, and two
                {
                    INFO(preset);
                    check_packed(*backend, small_preset(preset), dtype, most);
                }
    }
}

TEST_CASE("packed batches have that at the sizes that kernels are compiled for and of wide heads", "[training]") {
    struct Sizes {
        const char* preset;
        std::int64_t d_model, d_state, headdim;
    };
    for (Backend* backend : judged_backends()) {
        if (!backend->packs_batches()) continue;
        for (const Sizes& sizes : {Sizes{"mamba3", 16, 64, 16},
                                   {"mamba3", 16, 64, 32},
                                   {"mamba3", 32, 128, 64},
                                   {"mamba2", 16, 64, 16},
                                   {"gdn", 16, 6, 40},
                                   {"gdn", 32, 6, 16},
                                   {"gdn-heads", 16, 6, 16},
                                   {"transformer", 64, 6, 32},
                                   {"transformer", 72, 6, 72}}) {
            INFO(sizes.preset << ", d_state " << sizes.d_state << ", headdim " << sizes.headdim);
            PresetSize size;
            size.d_model = sizes.d_model;
            size.n_layer = 1;
            size.vocab_size = 7;
            size.d_state = sizes.d_state;
            size.headdim = sizes.headdim;
            size.d_intermediate = 9;
            check_packed(*backend, model_preset(sizes.preset).make(size), DType::f32, 70);
        }
    }
}
