#include "tests/support/judge.hpp"

#include <algorithm>
#include <cmath>

#include "core/backend/factories.hpp"
#include "core/numerics/bf16.hpp"
#include "tests/support/catch.hpp"

namespace whorl::test {
namespace {

double dot(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

/// ⟨d_y, y⟩ with input i moved by `distance` along `direction`.
double loss_at(Backend& backend, const Operation& operation, Values values, std::size_t i,
               const std::vector<double>& direction, double distance) {
    RunOptions forward_only;
    forward_only.backward = false;
    forward_only.check_memory = false;
    for (std::size_t k = 0; k < direction.size(); ++k) values.inputs[i][k] += distance * direction[k];
    return dot(values.d_y, run(backend, DType::f64, operation, values, forward_only).y);
}

void check_direction(Backend& backend, const Operation& operation, const Values& values, const Outcome& outcome,
                     std::size_t i, std::uint64_t stream, double floor) {
    const std::vector<double>& gradient = outcome.gradients[i];
    const auto direction = random_numbers(stream, i, static_cast<std::int64_t>(gradient.size()), -1, 1);
    const double rms = norm(direction) / std::sqrt(static_cast<double>(direction.size()));
    const double scale = std::max(norm(gradient), floor) * rms, expected = dot(gradient, direction);
    double error = 1, slope = 0;
    for (const double h : kDifferenceSteps) {
        const auto loss = [&](double steps) { return loss_at(backend, operation, values, i, direction, steps * h); };
        slope = (8 * (loss(1) - loss(-1)) - (loss(2) - loss(-2))) / (12 * h);
        error = scale == 0 ? 0 : std::abs(slope - expected) / scale;
        if (error <= kDifferenceLimit) break;
    }
    INFO(operation.name << ": gradient of " << operation.inputs[i].name << ": " << expected
                        << " along a direction, difference " << slope);
    CHECK(error <= kDifferenceLimit);
}

void check_accumulation(Backend& backend, const Operation& operation, const Values& values, const Outcome& fresh) {
    RunOptions options;
    options.gradient_start = 1;
    const Outcome raised = run(backend, DType::f64, operation, values, options);
    for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
        std::vector<double> expected = fresh.gradients[i];
        if (operation.inputs[i].gradient_adds)
            for (double& x : expected) x += 1;
        INFO(operation.name << ": " << operation.inputs[i].name << " must "
                            << (operation.inputs[i].gradient_adds ? "accumulate" : "be overwritten"));
        CHECK((!operation.inputs[i].differentiable ||
               relative_error(raised.gradients[i], expected) <= 1e-12));  // roundings of + 1
    }
}

void round_to_bf16(std::vector<double>& values) {
    for (double& x : values) x = static_cast<double>(static_cast<float>(numerics::Bf16(static_cast<float>(x))));
}

/// What a run in bf16 stores, in `y` (or d_y) and in what belongs to each input.
void round_stored(const Operation& operation, std::vector<double>& y, std::vector<std::vector<double>>& of_inputs) {
    if (!operation.stream_output) round_to_bf16(y);
    for (std::size_t i = 0; i < operation.inputs.size(); ++i)
        if (!operation.inputs[i].parameter && !operation.inputs[i].stream) round_to_bf16(of_inputs[i]);
}

bool same(const Outcome& a, const Outcome& b) {
    return a.y == b.y && a.gradients == b.gradients;
}

}  // namespace

void check_gradients(const Operation& operation, const Values& values) {
    for (Backend* backend : judged_backends()) {
        const Outcome outcome = run(*backend, DType::f64, operation, values);
        INFO(operation.name << " on " << backend->describe());
        CHECK(outcome.damage == "");
        CHECK(std::isfinite(norm(outcome.y)));
        double largest = 0;
        for (std::size_t i = 0; i < outcome.gradients.size(); ++i)
            if (operation.inputs[i].differentiable) largest = std::max(largest, norm(outcome.gradients[i]));
        CHECK((largest > 0 && std::isfinite(largest)));
        for (std::size_t i = 0; i < operation.inputs.size(); ++i)
            for (std::uint64_t direction = 1; direction <= 2; ++direction)
                if (operation.inputs[i].differentiable && !values.inputs[i].empty())
                    check_direction(*backend, operation, values, outcome, i, direction, kDoubleFloor * largest);
        check_accumulation(*backend, operation, values, outcome);
    }
}

void check_gradients(const Operation& operation, std::uint64_t seed) {
    check_gradients(operation, random_values(operation, seed, 2));
}

void check_float(const Operation& operation, std::int64_t length, std::uint64_t seed) {
    const Values values = random_values(operation, seed);
    const double growth = std::max(1.0, static_cast<double>(length) / 256);
    for (Backend* backend : judged_backends()) {
        const Outcome exact = run(*backend, DType::f64, operation, values),
                      outcome = run(*backend, DType::f32, operation, values);
        std::string worst;
        INFO(operation.name << " in float on " << backend->describe());
        CHECK(outcome.damage == "");
        CHECK(relative_error(outcome.y, exact.y) <= kFloatOutputLimit * growth);
        const double error = gradient_error(operation, outcome, exact, kFloatFloor, &worst);
        INFO("worst gradient: " << worst);
        CHECK(error <= kFloatGradientLimit * growth);
    }
}

void check_same_bits(const Operation& operation, std::uint64_t seed) {
    constexpr std::int64_t replicas = 3;
    const Values values = random_values(operation, seed, replicas);
    for (Backend* backend : judged_backends())
        for (const DType dtype : {DType::f32, DType::f64}) {
            const Outcome together = run(*backend, dtype, operation, values);
            INFO(operation.name << " on " << backend->describe() << (dtype == DType::f32 ? " in float" : " in double"));
            CHECK(same(together, run(*backend, dtype, operation, values)));
            for (std::int64_t r = 0; r < replicas; ++r) {
                const Outcome alone = run(*backend, dtype, operation, values_of_replica(operation, values, r));
                Values all;  // the replica's part of the joint outcome, cut as values are
                all.replicas = replicas;
                all.inputs = together.gradients;
                all.d_y = together.y;
                const Values part = values_of_replica(operation, all, r);
                INFO("replica " << r);
                CHECK((part.d_y == alone.y));
                CHECK((part.inputs == alone.gradients));
            }
            if (backend->device() != Device::cpu) continue;
            for (const int threads : {1, 3}) {
                INFO(threads << " threads");
                CHECK(same(together, run(*make_cpu_backend(threads), dtype, operation, values)));
            }
        }
}

void check_stored(const Operation& operation, std::uint64_t seed, std::int64_t replicas) {
    Values values = random_values(operation, seed, replicas);
    round_stored(operation, values.d_y, values.inputs);
    for (Backend* backend : judged_backends()) {
        if (backend->device() == Device::cpu) continue;
        backend->set_precision({Matmul::bf16});
        Outcome expected = run(*backend, DType::f32, operation, values);
        const Outcome stored = run(*backend, DType::bf16, operation, values);
        backend->set_precision({});
        round_stored(operation, expected.y, expected.gradients);
        INFO(operation.name << " stored in bf16 on " << backend->describe());
        CHECK(stored.damage == "");
        CHECK(std::isfinite(norm(stored.y)));
        CHECK((stored.y == expected.y));
        for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
            INFO("gradient of " << operation.inputs[i].name);
            CHECK((stored.gradients[i] == expected.gradients[i]));
        }
    }
}

void check_operation(const Operation& operation, std::uint64_t seed) {
    check_gradients(operation, seed);
    check_float(operation, operation.output[2], seed);
    check_same_bits(operation, seed);
    check_stored(operation, seed);
}

void check_reference(const Operation& operation, const Values& values, const std::vector<double>& reference,
                     double limit) {
    RunOptions forward_only;
    forward_only.backward = false;
    for (Backend* backend : judged_backends()) {
        const Outcome outcome = run(*backend, DType::f64, operation, values, forward_only);
        INFO(operation.name << " on " << backend->describe());
        CHECK(outcome.damage == "");
        CHECK(relative_error(outcome.y, reference) <= limit);
    }
}

void check_forms(const Maker& maker, std::int64_t length, const std::vector<FormChoice>& forms, std::uint64_t seed,
                 std::int64_t replicas) {
    const Operation recurrent = maker(length, {Form::recurrent, 0});
    const Values values = random_values(recurrent, seed, replicas);
    const double growth = std::max(1.0, static_cast<double>(length) / 256);
    for (Backend* backend : judged_backends()) {
        const Outcome reference = run(*backend, DType::f64, recurrent, values);
        for (const FormChoice& form : forms)
            for (const bool single : {false, true}) {
                const Operation operation = maker(length, form);
                const Outcome outcome = run(*backend, single ? DType::f32 : DType::f64, operation, values);
                std::string worst;
                INFO(operation.name << " on " << backend->describe() << (single ? " in float" : " in double")
                                    << ", length " << length
                                    << (form.form == Form::recurrent ? ", recurrent" : ", chunks of ") << form.chunk);
                CHECK(outcome.damage == "");
                CHECK(relative_error(outcome.y, reference.y) <= (single ? kFloatOutputLimit * growth : kDoubleLimit));
                const double error =
                    gradient_error(operation, outcome, reference, single ? kFloatFloor : kDoubleFloor, &worst);
                INFO("worst gradient: " << worst);
                CHECK(error <= (single ? kFloatGradientLimit * growth : kDoubleLimit));
            }
    }
}

void check_backends(const Operation& operation, std::int64_t length, std::uint64_t seed, std::int64_t replicas) {
    const Values values = random_values(operation, seed, replicas);
    const double growth = std::max(1.0, static_cast<double>(length) / 256);
    const Outcome reference = run(*judged_backends().front(), DType::f64, operation, values);
    for (Backend* backend : judged_backends())
        for (const bool single : {false, true}) {
            if (!single && backend == judged_backends().front()) continue;
            const Outcome outcome = run(*backend, single ? DType::f32 : DType::f64, operation, values);
            std::string worst;
            INFO(operation.name << " on " << backend->describe() << (single ? " in float" : " in double") << ", length "
                                << length << ", " << replicas << " replicas");
            CHECK(outcome.damage == "");
            CHECK(relative_error(outcome.y, reference.y) <= (single ? kFloatOutputLimit * growth : kDoubleLimit));
            const double error =
                gradient_error(operation, outcome, reference, single ? kFloatFloor : kDoubleFloor, &worst);
            INFO("worst gradient: " << worst << " " << error);
            CHECK(error <= (single ? kFloatGradientLimit * growth : kDoubleLimit));
        }
    check_stored(operation, seed, replicas);
}

void check_parts(const Maker& maker, const std::vector<std::int64_t>& parts, std::uint64_t seed, bool in_float) {
    std::int64_t length = 0;
    for (const std::int64_t part : parts) length += part;
    const Operation whole = maker(length, {});
    const Values values = random_values(whole, seed, 2);
    const double growth = std::max(1.0, static_cast<double>(length) / 256);
    RunOptions forward_only;
    forward_only.backward = false;
    for (Backend* backend : judged_backends()) {
        const Outcome reference = run(*backend, DType::f64, whole, values, forward_only);
        for (const bool single : {false, true}) {
            if (single && !in_float) continue;
            const Outcome outcome = run_in_parts(*backend, single ? DType::f32 : DType::f64, maker, values, parts);
            INFO(whole.name << " on " << backend->describe() << (single ? " in float, " : " in double, ")
                            << parts.size() << " parts of " << length << " positions");
            CHECK(outcome.damage == "");
            CHECK(relative_error(outcome.y, reference.y) <= (single ? kFloatOutputLimit * growth : kDoubleLimit));
        }
    }
}

}  // namespace whorl::test
