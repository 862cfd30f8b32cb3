// gradient_norm and AdamW against plain loops: clipping, frozen and decayed parameters, stopped replicas.
#include <cmath>

#include "tests/backend/judge.hpp"
#include "tests/catch.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr std::int64_t kSlice = 5003;  // more than one block of the reduction, and not a multiple of one
constexpr std::int64_t kReplicas = 3;

struct Optimizer {
    std::vector<double> gradient = random_numbers(1, 1, kReplicas*kSlice, -1, 1),
                        parameter = random_numbers(1, 2, kReplicas*kSlice, -1, 1),
                        first = random_numbers(1, 3, kReplicas*kSlice, -0.1, 0.1),
                        second = random_numbers(1, 4, kReplicas*kSlice, 0, 0.1), mask, rate{1e-2, 3e-3, 1e-2},
                        decay{0.1, 0, 0.05}, clip{1, 0.25, 0};
    AdamWStep step;

    Optimizer() {
        for (std::int64_t i = 0; i < kSlice; ++i) mask.push_back(static_cast<double>(i % 3));
        step.beta1 = 0.8;
        step.beta2 = 0.95;
        step.epsilon = 1e-6;
        step.step = 7;
    }

    /// One step on the backend, replicas [begin, begin + count); the new parameter, first and second moment.
    std::vector<std::vector<double>> run(Backend& backend, DType dtype, std::int64_t begin, std::int64_t count) {
        Fixture fixture(backend, dtype);
        const auto part = [&](const std::vector<double>& all, std::int64_t width) {
            return std::vector<double>(all.begin() + begin * width, all.begin() + (begin + count) * width);
        };
        const auto slices = [&](const char* name, const std::vector<double>& values) {
            const Tensor tensor = fixture.activation(name, {count, 1, 1, kSlice});
            fixture.write(tensor, part(values, kSlice));
            return tensor;
        };
        const auto numbers = [&](const char* name, const std::vector<double>& values) {
            const Tensor tensor = fixture.doubles(name, {count, 1, 1, 1});
            fixture.write(tensor, part(values, 1));
            return tensor;
        };
        const Tensor g = slices("gradient", gradient), w = slices("parameter", parameter), m = slices("first", first),
                     v = slices("second", second);
        const Tensor flags = fixture.activation("mask", {1, 1, 1, kSlice});
        fixture.write(flags, mask);
        step.learning_rate = numbers("rate", rate);
        step.weight_decay = numbers("decay", decay);
        step.clip_scale = numbers("clip", clip);
        backend.adamw(step, g, flags, w, m, v);
        CHECK(fixture.damage() == "");
        return {fixture.read(w), fixture.read(m), fixture.read(v)};
    }

    /// The same by Loshchilov and Hutter's algorithm 2, element by element.
    std::vector<std::vector<double>> expected() const {
        std::vector<std::vector<double>> all{parameter, first, second};
        for (std::size_t i = 0; i < parameter.size(); ++i) {
            const std::size_t r = i / kSlice;
            if (clip[r] == 0) continue;
            const double slope = gradient[i] * clip[r], flag = mask[i % kSlice];
            const double m = all[1][i] = 0.8 * first[i] + 0.2 * slope,
                         v = all[2][i] = 0.95 * second[i] + 0.05 * slope * slope;
            if (flag == 0) continue;
            const double m_hat = m / (1 - std::pow(0.8, 7)), v_hat = v / (1 - std::pow(0.95, 7));
            all[0][i] -= rate[r] * (m_hat / (std::sqrt(v_hat) + 1e-6) + (flag == 2 ? decay[r] * parameter[i] : 0));
        }
        return all;
    }
};

std::vector<double> norms(Backend& backend, DType dtype, const std::vector<double>& gradient, std::int64_t replicas,
                          std::int64_t slice) {
    Fixture fixture(backend, dtype);
    const Tensor g = fixture.activation("gradient", {replicas, 1, 1, slice}),
                 norm = fixture.doubles("norm", {replicas, 1, 1, 1});
    fixture.write(g, gradient);
    const Tensor scratch = fixture.bytes("scratch", backend.gradient_norm_memory(g).scratch);
    backend.gradient_norm(g, norm, scratch);
    CHECK(fixture.damage() == "");
    return fixture.read(norm);
}

}  // namespace

TEST_CASE("adamw follows its algorithm: frozen parameters stay, undecayed ones do not shrink", "[backend][optimizer]") {
    Optimizer optimizer;
    for (Backend* backend : judged_backends()) {
        const auto expected = optimizer.expected();
        const auto exact = optimizer.run(*backend, DType::f64, 0, kReplicas),
                   single = optimizer.run(*backend, DType::f32, 0, kReplicas);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(relative_error(exact[i], expected[i]) <= 1e-15);
            CHECK(relative_error(single[i], expected[i]) <= 1e-6);  // some roundings of 6e-8
        }
        for (std::size_t i = 0; i < optimizer.parameter.size(); i += 3)
            if (optimizer.mask[i % kSlice] == 0) CHECK(exact[0][i] == optimizer.parameter[i]);
    }
}

TEST_CASE("a replica with clip scale zero keeps parameters and moments, also beside a NaN gradient",
          "[backend][optimizer]") {
    Optimizer optimizer;
    for (std::size_t i = 2 * kSlice; i < 3 * kSlice; ++i) optimizer.gradient[i] = std::nan("");
    for (Backend* backend : judged_backends()) {
        const auto after = optimizer.run(*backend, DType::f32, 0, kReplicas);
        const auto stopped = [&](const std::vector<double>& values) {
            return std::vector<double>(values.begin() + 2 * kSlice, values.end());
        };
        CHECK((stopped(after[0]) == stopped(optimizer.parameter)));
        CHECK((stopped(after[1]) == stopped(optimizer.first)));
        CHECK((stopped(after[2]) == stopped(optimizer.second)));
        CHECK(std::isfinite(norm(after[0])));
    }
}

TEST_CASE("adamw of replica r has the bits it has alone, on any number of threads", "[backend][optimizer]") {
    Optimizer optimizer;
    for (Backend* backend : judged_backends())
        for (const DType dtype : {DType::f32, DType::f64}) {
            const auto together = optimizer.run(*backend, dtype, 0, kReplicas);
            for (std::int64_t r = 0; r < kReplicas; ++r) {
                const auto alone = optimizer.run(*backend, dtype, r, 1);
                for (std::size_t i = 0; i < 3; ++i)
                    CHECK(std::equal(alone[i].begin(), alone[i].end(), together[i].begin() + r * kSlice));
            }
            if (backend->device() == Device::cpu)
                CHECK((optimizer.run(*make_cpu_backend(1), dtype, 0, kReplicas) == together));
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
