#include <cmath>

#include "core/backend/factories.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/small_operations.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr std::size_t kVocabulary = 5;

/// Values whose d_y is one: the operation's backward is that of the mean itself.
Values loss_values(const Operation& operation, std::int64_t replicas = 1) {
    Values values = random_values(operation, 20, replicas);
    values.d_y.assign(values.d_y.size(), 1.0);
    return values;
}

}  // namespace

TEST_CASE("cross_entropy is the mean over the used slots, with hits and their number", "[backend]") {
    const double smoothing = GENERATE(0.0, 0.3);
    const Operation operation = cross_entropy(9, kVocabulary, smoothing);
    const Values values = loss_values(operation);
    double loss = 0, hits = 0, used = 0;
    for (std::size_t m = 0; m < 9; ++m) {
        if (values.indices[0][m] < 0) continue;
        const double* row = values.inputs[0].data() + m * kVocabulary;
        const auto target = static_cast<std::size_t>(values.indices[1][m]);
        double total = 0, mean = 0;
        std::size_t best = 0;
        for (std::size_t j = 0; j < kVocabulary; ++j) {
            total += std::exp(row[j]);
            mean += row[j] / kVocabulary;
            if (row[j] > row[best]) best = j;
        }
        used += 1;
        hits += best == target ? 1 : 0;
        loss += std::log(total) - (1 - smoothing) * row[target] - smoothing * mean;
    }
    REQUIRE((used > 0 && used < 9 && hits > 0));
    check_reference(operation, values, {loss / used});
    for (Backend* backend : judged_backends()) {
        const Outcome outcome = run(*backend, DType::f64, operation, values);
        CHECK(outcome.kept[0] == std::vector<double>{hits});
        CHECK(outcome.kept[1] == std::vector<double>{used});
    }
}

TEST_CASE("the gradient of cross_entropy equals differences and is zero in unused slots", "[backend]") {
    const Operation operation = cross_entropy(9, kVocabulary, GENERATE(0.0, 0.3));
    const Values values = loss_values(operation, 3);
    check_gradients(operation, values);
    for (Backend* backend : judged_backends()) {
        const Outcome outcome = run(*backend, DType::f64, operation, values);
        for (std::size_t m = 0; m < 27; ++m)
            for (std::size_t j = 0; j < kVocabulary && values.indices[0][m] < 0; ++j)
                CHECK(outcome.gradients[0][m * kVocabulary + j] == 0);
        for (std::int64_t r = 0; r < 3; ++r) {
            const Outcome alone = run(*backend, DType::f64, operation, values_of_replica(operation, values, r));
            CHECK(alone.y[0] == outcome.y[static_cast<std::size_t>(r)]);
        }
    }
}

TEST_CASE("cross_entropy has the same bits on any number of threads and beside other replicas", "[backend]") {
    const Operation operation = cross_entropy(700, kVocabulary);  // several blocks of slots
    const Values values = loss_values(operation, 2);
    for (Backend* backend : judged_backends()) {
        const Outcome together = run(*backend, DType::f64, operation, values);
        for (std::int64_t r = 0; r < 2; ++r) {
            const Outcome alone = run(*backend, DType::f64, operation, values_of_replica(operation, values, r));
            CHECK(alone.y[0] == together.y[static_cast<std::size_t>(r)]);
            CHECK(alone.kept[0][0] == together.kept[0][static_cast<std::size_t>(r)]);
            CHECK(std::equal(alone.gradients[0].begin(), alone.gradients[0].end(),
                             together.gradients[0].begin() + r * 700 * static_cast<std::int64_t>(kVocabulary)));
        }
        for (const int threads : {1, 2, 3}) {
            if (backend->device() != Device::cpu) continue;
            const Outcome other = run(*make_cpu_backend(threads), DType::f64, operation, values);
            CHECK((other.y == together.y && other.gradients == together.gradients));
        }
    }
}

TEST_CASE("cross_entropy without any used slot is zero, not NaN, and so is its gradient", "[backend]") {
    const Operation operation = cross_entropy(4, kVocabulary);
    Values values = loss_values(operation);
    values.indices[0].assign(4, -1);
    for (Backend* backend : judged_backends()) {
        const Outcome outcome = run(*backend, DType::f64, operation, values);
        CHECK(outcome.y == std::vector<double>{0});
        CHECK(outcome.kept[1] == std::vector<double>{0});
        CHECK(norm(outcome.gradients[0]) == 0);
    }
}

TEST_CASE("cross_entropy of logits of a thousand neither overflows nor loses the small ones", "[backend]") {
    const Operation operation = cross_entropy(1, kVocabulary);
    Values values = loss_values(operation);
    values.indices = {{0}, {1}};
    values.inputs[0] = {1000, 999, -1000, 990, 0};
    check_reference(operation, values, {1 + std::log1p(std::exp(-1.0) + std::exp(-10.0))});
}

TEST_CASE("cross_entropy may write its gradient over the logits", "[backend]") {
    const Operation operation = cross_entropy(9, kVocabulary);
    const Values values = loss_values(operation);
    for (Backend* backend : judged_backends()) {
        const std::vector<double> expected = run(*backend, DType::f64, operation, values).gradients[0];
        Fixture fixture(*backend, DType::f64);
        const Tensor logits = fixture.activation("logits", {1, 1, 9, 5}), one = fixture.doubles("loss", {1, 1, 1, 1});
        const Tensor row_of = fixture.indices("row_of", {1, 1, 1, 9}), target = fixture.indices("target", {1, 1, 1, 9});
        fixture.write(logits, values.inputs[0]);
        fixture.write(row_of, values.indices[0]);
        fixture.write(target, values.indices[1]);
        backend->cross_entropy(logits, {row_of, target, 0}, 5, one, one, one, logits);
        CHECK((fixture.read(logits) == expected));
        CHECK(fixture.damage() == "");
    }
}
