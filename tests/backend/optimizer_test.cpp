// gradient_norm and AdamW against plain loops: clipping, frozen and decayed parameters, stopped replicas, metrics.
#include <cmath>
#include <limits>

#include "core/backend/factories.hpp"
#include "core/training/run_config.hpp"
#include "core/training/step_queue.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr std::int64_t kSlice = 5003;  // more than one block of the reduction, and not a multiple of one
constexpr std::int64_t kReplicas = 3;
constexpr std::int64_t kSteps = 4;  // asked for together

std::vector<double> part_of(const std::vector<double>& all, std::int64_t begin, std::int64_t count) {
    return {all.begin() + begin, all.begin() + begin + count};
}

/// Arrays of plain structs between sentinels.
template <class T>
class Structs {
public:
    Structs(Fixture& fixture, Backend& backend, const char* name, std::vector<T> values)
        : backend_(backend), values_(std::move(values)), tensor_(fixture.bytes(name, bytes())) {
        backend.upload(tensor_, values_.data(), bytes());
    }
    T* data() const { return reinterpret_cast<T*>(tensor_.data); }
    const std::vector<T>& read() {
        backend_.download(values_.data(), tensor_, bytes());
        return values_;
    }

private:
    std::int64_t bytes() const { return static_cast<std::int64_t>(values_.size() * sizeof(T)); }

    Backend& backend_;
    std::vector<T> values_;
    Tensor tensor_;
};

/// What a step leaves behind.
struct StepOutcome {
    std::vector<double> parameter, first, second, gradient;
    std::vector<ReplicaNumbers> replicas;
    std::vector<StepMetrics> metrics;  // of the step that was taken

    bool operator==(const StepOutcome& other) const {
        return parameter == other.parameter && first == other.first && second == other.second;
    }
};

struct Optimizer {
    std::vector<double> gradient = random_numbers(1, 1, kReplicas*kSlice, -1, 1),
                        parameter = random_numbers(1, 2, kReplicas*kSlice, -1, 1),
                        first = random_numbers(1, 3, kReplicas*kSlice, -0.1, 0.1),
                        second = random_numbers(1, 4, kReplicas*kSlice, 0, 0.1), mask, loss{0.5, 0.25, 2},
                        correct{7, 8, 9}, used{10, 20, 30};
    std::vector<ReplicaNumbers> replicas{{0, 2e-2, 0.1, 1}, {0, 6e-3, 0, 2}, {0, 2e-2, 0.05, 1}};
    double clip = 20;  // the first gradient's norm is far below, the second's above

    Optimizer() {
        for (std::int64_t i = 0; i < kSlice; ++i) mask.push_back(static_cast<double>(i % 3));
        for (std::int64_t i = 0; i < kSlice; ++i) gradient[static_cast<std::size_t>(i)] *= 0.25;
    }

    /// One step on the backend, replicas [begin, begin + count).
    StepOutcome run(Backend& backend, DType dtype, std::int64_t begin = 0, std::int64_t count = kReplicas) const {
        Fixture fixture(backend, dtype);
        const auto slices = [&](const char* name, const std::vector<double>& values) {
            const Tensor tensor = fixture.activation(name, {count, 1, 1, kSlice});
            fixture.write(tensor, part_of(values, begin * kSlice, count * kSlice));
            return tensor;
        };
        const auto numbers = [&](const char* name, const std::vector<double>& values) {
            const Tensor tensor = fixture.doubles(name, {count, 1, 1, 1});
            fixture.write(tensor, part_of(values, begin, count));
            return tensor;
        };
        const Tensor g = slices("gradient", gradient), w = slices("parameter", parameter), m = slices("first", first),
                     v = slices("second", second);
        const Tensor flags = fixture.activation("mask", {1, 1, 1, kSlice});
        fixture.write(flags, mask);
        Structs<StepNumbers> steps(fixture, backend, "steps", numbers_of_steps());
        Structs<ReplicaNumbers> own(fixture, backend, "replicas",
                                    {replicas.begin() + begin, replicas.begin() + begin + count});
        Structs<StepMetrics> metrics(fixture, backend, "metrics",
                                     std::vector<StepMetrics>(static_cast<std::size_t>(kSteps * count)));
        const Tensor updates = fixture.bytes("updates", count * static_cast<std::int64_t>(8 * size_of(dtype))),
                     scratch = fixture.bytes("scratch", backend.gradient_norm_memory(g).scratch);
        const OptimizerStep step{0.8,
                                 0.95,
                                 1e-6,
                                 clip,
                                 numbers("loss", loss),
                                 numbers("correct", correct),
                                 numbers("used", used),
                                 steps.data(),
                                 own.data(),
                                 updates.data,
                                 metrics.data(),
                                 count};
        backend.gradient_norm(step, g, scratch);
        backend.adamw(step, g, flags, w, m, v);
        CHECK(fixture.damage() == "");
        StepOutcome outcome{fixture.read(w), fixture.read(m), fixture.read(v), fixture.read(g), own.read(), {}};
        for (std::int64_t r = 0; r < count; ++r)
            outcome.metrics.push_back(metrics.read()[static_cast<std::size_t>(at(begin + r) * count + r)]);
        return outcome;
    }

    std::int32_t at(std::int64_t r) const { return replicas[static_cast<std::size_t>(r)].at; }
    static std::vector<StepNumbers> numbers_of_steps() {
        std::vector<StepNumbers> steps;
        for (std::int64_t n = 6; n < 6 + kSteps; ++n)
            steps.push_back(
                {n - 1, 0, 1.0 / static_cast<double>(n), bias_correction(0.8, n), bias_correction(0.95, n)});
        return steps;
    }

    /// The new parameters and moments by Loshchilov and Hutter's algorithm 2, element by element.
    StepOutcome expected() const {
        StepOutcome all{parameter, first, second, {}, {}, {}};
        for (std::size_t i = 0; i < parameter.size(); ++i) {
            const std::size_t r = i / kSlice;
            const double length = norm(part_of(gradient, static_cast<std::int64_t>(r) * kSlice, kSlice)),
                         n = 6 + replicas[r].at, rate = replicas[r].learning_rate / n;
            const double slope = gradient[i] * (clip > 0 && length > clip ? clip / length : 1), flag = mask[i % kSlice];
            const double m = all.first[i] = 0.8 * first[i] + 0.2 * slope,
                         v = all.second[i] = 0.95 * second[i] + 0.05 * slope * slope;
            if (flag == 0) continue;
            const double m_hat = m / (1 - std::pow(0.8, n)), v_hat = v / (1 - std::pow(0.95, n));
            all.parameter[i] -=
                rate * (m_hat / (std::sqrt(v_hat) + 1e-6) + (flag == 2 ? replicas[r].weight_decay * parameter[i] : 0));
        }
        return all;
    }

    void check_kept(const StepOutcome& after, std::int64_t r) const {
        const auto own = [&](const std::vector<double>& values) { return part_of(values, r * kSlice, kSlice); };
        CHECK((own(after.parameter) == own(parameter)));
        CHECK((own(after.first) == own(first)));
        CHECK((own(after.second) == own(second)));
    }
};

std::vector<double> norms(Backend& backend, DType dtype, const std::vector<double>& gradient, std::int64_t replicas,
                          std::int64_t slice) {
    Fixture fixture(backend, dtype);
    const Tensor g = fixture.activation("gradient", {replicas, 1, 1, slice});
    fixture.write(g, gradient);
    const Tensor zeros = fixture.doubles("zeros", {replicas, 1, 1, 1}),
                 scratch = fixture.bytes("scratch", backend.gradient_norm_memory(g).scratch);
    fixture.fill(zeros, 0);
    StepQueue queue(backend, replicas);
    queue.upload(1, replicas);
    OptimizerStep step = queue.step({}, {0, replicas});
    step.loss = step.correct = step.used = zeros;
    backend.gradient_norm(step, g, scratch);
    queue.fetch(1);
    CHECK(fixture.damage() == "");
    std::vector<double> all;
    for (std::int64_t r = 0; r < replicas; ++r) all.push_back(queue.metrics(0, r).norm);
    return all;
}

}  // namespace

TEST_CASE("adamw follows its algorithm: frozen parameters stay, undecayed ones do not shrink", "[backend][optimizer]") {
    Optimizer optimizer;
    for (Backend* backend : judged_backends())
        for (const double clip : {20.0, 0.0}) {
            optimizer.clip = clip;
            const StepOutcome expected = optimizer.expected(), exact = optimizer.run(*backend, DType::f64),
                              single = optimizer.run(*backend, DType::f32);
            // Unclipped, some roundings; clipped, those of the norm, a sum of thousands of terms in another order.
            const double limit = clip == 0 ? 1e-15 : kReferenceLimit;
            CHECK(relative_error(exact.parameter, expected.parameter) <= limit);
            CHECK(relative_error(exact.first, expected.first) <= limit);
            CHECK(relative_error(exact.second, expected.second) <= limit);
            CHECK(relative_error(single.parameter, expected.parameter) <= 1e-6);  // some roundings of 6e-8
            CHECK(relative_error(single.first, expected.first) <= 1e-6);
            CHECK(relative_error(single.second, expected.second) <= 1e-6);
            for (std::size_t i = 0; i < optimizer.parameter.size(); i += 3)
                if (optimizer.mask[i % kSlice] == 0) CHECK(exact.parameter[i] == optimizer.parameter[i]);
        }
}

TEST_CASE("an optimizer step leaves its metrics, the next step's place and a gradient of zero",
          "[backend][optimizer]") {
    const Optimizer optimizer;
    for (Backend* backend : judged_backends()) {
        const StepOutcome after = optimizer.run(*backend, DType::f32);
        CHECK((after.gradient == std::vector<double>(optimizer.gradient.size(), 0.0)));
        for (std::size_t r = 0; r < kReplicas; ++r) {
            CHECK(after.metrics[r].loss == optimizer.loss[r]);
            CHECK(after.metrics[r].correct == optimizer.correct[r]);
            CHECK(after.metrics[r].used == optimizer.used[r]);
            const double length = norm(part_of(optimizer.gradient, static_cast<std::int64_t>(r) * kSlice, kSlice));
            CHECK(after.metrics[r].norm == Approx(length).epsilon(kReferenceLimit));
            CHECK(after.replicas[r].at == optimizer.replicas[r].at + 1);
            CHECK(after.replicas[r].stopped == 0);
            CHECK(after.replicas[r].ticket == 0);
        }
    }
}

TEST_CASE("a replica without a finite loss or gradient keeps parameters and moments from then on",
          "[backend][optimizer]") {
    Optimizer optimizer;
    optimizer.loss[0] = std::numeric_limits<double>::infinity();
    optimizer.gradient[2 * kSlice + 4999] = std::nan("");
    for (Backend* backend : judged_backends()) {
        const StepOutcome after = optimizer.run(*backend, DType::f32);
        for (const std::int64_t r : {0, 2}) optimizer.check_kept(after, r);
        CHECK(after.replicas[0].stopped == 1);
        CHECK(after.replicas[1].stopped == 0);
        CHECK(after.replicas[2].stopped == 1);
        CHECK(std::isnan(after.metrics[2].norm));
        CHECK((after.gradient == std::vector<double>(optimizer.gradient.size(), 0.0)));
        CHECK(relative_error(part_of(after.parameter, kSlice, kSlice),
                             part_of(optimizer.expected().parameter, kSlice, kSlice)) <= 1e-6);

        Optimizer later;  // all is finite again
        later.replicas = after.replicas;
        const StepOutcome next = later.run(*backend, DType::f32);
        for (const std::int64_t r : {0, 2}) later.check_kept(next, r);
        CHECK(next.replicas[0].stopped == 1);
        CHECK_FALSE((part_of(next.parameter, kSlice, kSlice) == part_of(later.parameter, kSlice, kSlice)));
    }
}

TEST_CASE("adamw of replica r has the bits it has alone, on any number of threads", "[backend][optimizer]") {
    const Optimizer optimizer;
    for (Backend* backend : judged_backends())
        for (const DType dtype : {DType::f32, DType::f64}) {
            const StepOutcome together = optimizer.run(*backend, dtype);
            for (std::int64_t r = 0; r < kReplicas; ++r) {
                const StepOutcome alone = optimizer.run(*backend, dtype, r, 1);
                CHECK((alone.parameter == part_of(together.parameter, r * kSlice, kSlice)));
                CHECK((alone.first == part_of(together.first, r * kSlice, kSlice)));
                CHECK((alone.second == part_of(together.second, r * kSlice, kSlice)));
                CHECK(alone.metrics[0].norm == together.metrics[static_cast<std::size_t>(r)].norm);
            }
            if (backend->device() == Device::cpu) CHECK((optimizer.run(*make_cpu_backend(1), dtype) == together));
        }
}

TEST_CASE("gradient_norm is the length of each replica's whole slice", "[backend][optimizer]") {
    for (const std::int64_t slice : {std::int64_t{1}, std::int64_t{31}, kSlice, std::int64_t{70001}})
        for (Backend* backend : judged_backends()) {
            const std::vector<double> gradient = random_numbers(2, 1, kReplicas * slice, -1, 1);
            const auto exact = norms(*backend, DType::f64, gradient, kReplicas, slice),
                       single = norms(*backend, DType::f32, gradient, kReplicas, slice);
            for (std::int64_t r = 0; r < kReplicas; ++r) {
                const std::vector<double> own(gradient.begin() + r * slice, gradient.begin() + (r + 1) * slice);
                const auto at = static_cast<std::size_t>(r);
                CHECK(exact[at] == Approx(norm(own)).epsilon(kReferenceLimit));
                CHECK(single[at] ==
                      Approx(norm(own)).epsilon(kReferenceLimit));  // squares and sums are in double here too
                CHECK(norms(*backend, DType::f64, own, 1, slice)[0] == exact[at]);
                CHECK(norms(*backend, DType::f32, own, 1, slice)[0] == single[at]);
            }
            if (backend->device() == Device::cpu)
                CHECK((norms(*make_cpu_backend(1), DType::f32, gradient, kReplicas, slice) == single));
        }
}

TEST_CASE("gradient_norm of floats near the end of their range neither overflows nor vanishes",
          "[backend][optimizer]") {
    for (Backend* backend : judged_backends()) {
        CHECK(norms(*backend, DType::f32, {1e30, -1e30, 0, 0}, 1, 4)[0] == Approx(std::sqrt(2.0) * 1e30).epsilon(1e-6));
        CHECK(norms(*backend, DType::f32, {1e-30, -1e-30, 0, 0}, 1, 4)[0] ==
              Approx(std::sqrt(2.0) * 1e-30).epsilon(1e-6));
    }
}

TEST_CASE("add and zero touch every element and nothing else", "[backend]") {
    for (Backend* backend : judged_backends())
        for (const DType dtype : {DType::f32, DType::f64}) {
            Fixture fixture(*backend, dtype);
            const Tensor x = fixture.activation("x", {2, 3, 5, 7}), y = fixture.activation("y", {2, 3, 5, 7}, 3);
            const auto a = random_numbers(3, 1, 210, -1, 1), b = random_numbers(3, 2, 210, -1, 1);
            fixture.write(x, a);
            fixture.write(y, b);
            backend->add(x, y);
            std::vector<double> sum = b;
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += a[i];
            CHECK(relative_error(fixture.read(y), sum) <= 1e-7);  // one rounding to float
            CHECK(fixture.damage() == "");
            Tensor row = x;
            backend->zero(row, 7 * static_cast<std::int64_t>(size_of(dtype)));
            const auto left = fixture.read(x);
            CHECK(norm({left.begin(), left.begin() + 7}) == 0);
            CHECK(std::equal(left.begin() + 7, left.end(), a.begin() + 7));
            CHECK(fixture.damage() == "");
        }
}
