#include "core/numerics/rotation.hpp"

#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>

#include "tests/support/catch.hpp"

namespace n = whorl::numerics;

namespace {

constexpr long double kTurn = 6.283185307179586476925286766559006L;

/// How far apart two angles are on the circle, in radians.
long double apart(long double a, long double b) {
    return std::fabs(std::remainder(a - b, kTurn));
}

/// x mod 2π for |x| ≤ 10⁴, to 1e-19: the turns are taken off with 2π's next digits as well.
long double exact_wrap(long double x) {
    const long double rest_of_turn = (0x1.921fb54442d18p+2L - kTurn) + 0x1.1a62633145c07p-52L;
    const long double wrapped = std::remainder(x, kTurn);
    return wrapped - std::round((x - wrapped) / kTurn) * rest_of_turn;
}

}  // namespace

TEMPLATE_TEST_CASE("rotation is multiplication by a unit complex number", "[numerics]", float, double) {
    using T = TestType;
    const T limit = 4 * std::numeric_limits<T>::epsilon();  // four roundings of values up to two
    for (T angle = -7; angle < 7; angle += T(0.37)) {
        const auto turn = n::sincos(angle);
        const n::Pair<T> v{T(1.25), T(-0.5)};
        const auto turned = n::rotate(v, turn.cos, turn.sin);
        const std::complex<double> want = std::complex<double>(v.x, v.y) * std::polar(1.0, static_cast<double>(angle));
        CHECK(std::abs(std::complex<double>(turned.x, turned.y) - want) <= 2 * limit);
        const auto back = n::rotate_back(turned, turn.cos, turn.sin);
        CHECK((std::fabs(back.x - v.x) <= limit && std::fabs(back.y - v.y) <= limit));
    }
}

TEST_CASE("two rotated vectors see only the difference of their angles", "[numerics]") {
    const auto rotated = [](n::Pair<double> v, double angle) {
        const auto turn = n::sincos(angle);
        return n::rotate(v, turn.cos, turn.sin);
    };
    const auto dot = [&](double p, double q) {
        const auto b = rotated({0.3, -1.1}, p), c = rotated({0.8, 0.4}, q);
        return b.x * c.x + b.y * c.y;
    };
    CHECK(dot(0.2, 1.9) == Approx(dot(3.2, 4.9)).epsilon(1e-14));
    CHECK(std::fabs(dot(0.2, 1.9) - dot(0.2, 2.0)) > 1e-3);
}

TEST_CASE("the angle's gradient equals a central difference", "[numerics]") {
    // Metric: absolute difference; h²f'''/6 + ε/h is below 1e-10 for values of order one.
    const double h = 1e-5, limit = 1e-9;
    const n::Pair<double> v{0.7, -1.2}, gradient{0.4, 0.9};
    const auto loss = [&](double angle) {
        const auto turn = n::sincos(angle);
        const auto turned = n::rotate(v, turn.cos, turn.sin);
        return gradient.x * turned.x + gradient.y * turned.y;
    };
    for (double angle = -4; angle < 4; angle += 0.3) {
        const auto turn = n::sincos(angle);
        const double got = n::rotate_phase_gradient(n::rotate(v, turn.cos, turn.sin), gradient);
        CHECK(std::fabs(got - (loss(angle + h) - loss(angle - h)) / (2 * h)) < limit);
        CHECK(std::fabs(n::angular_velocity_derivative(angle) -
                        (n::angular_velocity(angle + h) - n::angular_velocity(angle - h)) / (2 * h)) < limit);
    }
}

TEMPLATE_TEST_CASE("wrapping keeps the angle and brings it into one turn", "[numerics]", float, double) {
    using T = TestType;
    const T ulp = std::numeric_limits<T>::epsilon();
    for (T x = T(-9999.5); x < 10000; x += T(0.731)) {
        const T wrapped = n::wrap_angle(x);
        CHECK(std::fabs(wrapped) <= n::pi<T> + std::fabs(x) * ulp);  // the count of turns comes from a rounded 1/2π
        CHECK(apart(wrapped, exact_wrap(x)) <= 1.01L * ulp);         // half an ulp of a value below four
    }
    CHECK(n::wrap_angle(T(0)) == 0);
    CHECK(n::wrap_angle(T(1.5)) == T(1.5));
}

TEST_CASE("a long sum of angles in float keeps its place because it is wrapped", "[numerics]") {
    // Metric: radians after 10⁵ steps. Each step rounds a value below 2π (half an ulp: 2.4e-7) twice; errors of random
    // sign grow as √steps.
    const int steps = 100000;
    const long double limit = 4 * 2.4e-7L * std::sqrt(static_cast<long double>(steps));
    float wrapped = 0, plain = 0;
    long double exact = 0;
    for (int t = 0; t < steps; ++t) {
        const float theta = n::angular_velocity(1.5F * std::sin(0.3F * static_cast<float>(t)) + 1), dt = 0.9F;
        wrapped = n::advance_phase(wrapped, theta, dt);
        plain += theta * dt;
        exact += static_cast<long double>(theta) * dt;
    }
    CHECK(apart(wrapped, exact) < limit);
    CHECK(apart(plain, exact) > limit);
}

TEMPLATE_TEST_CASE("angles in whole parts of a turn are those of one turn and have their sines", "[numerics]", float,
                   double) {
    using T = TestType;
    const T ulp = std::numeric_limits<T>::epsilon();
    const auto angles = [&](const auto& visit) {
        for (T x = T(-40.2); x < 40; x += T(0.00731)) visit(x);
        for (int half = -3181; half <= 3181; half += 2)  // near odd numbers of half turns, up to 10⁴
            for (const T off : {T(-1e-3), T(-1e-6), T(0), T(1e-6), T(1e-3)})
                visit(static_cast<T>(half) * n::pi<T> + off);
    };
    angles([&](T x) {
        const auto turn = n::turn_of(x);
        CHECK(apart(n::angle_of<T>(turn), exact_wrap(x)) <=
              5 * ulp);  // the part rounds one, its clamp and angle_of two
        const auto exact = n::sincos(static_cast<double>(n::angle_of<T>(turn)));
        const auto got = n::sincos_of(turn);
        CHECK(std::fabs(got.sin - exact.sin) <= 4 * ulp);  // of the angle, two; of the polynomials, one each
        CHECK(std::fabs(got.cos - exact.cos) <= 4 * ulp);
    });
    for (const T x : {n::pi<T>, -n::pi<T>, 3 * n::pi<T>}) CHECK(n::sincos_of(n::turn_of(x)).cos == T(-1));
    CHECK(n::turn_of(T(0)) == 0);
}

TEST_CASE("a long sum of turns in 32 bits loses less than wrapped floats", "[numerics]") {
    // Each step rounds a part of a turn (3e-8 of it, half an ulp of a half: 1.9e-7 radians); the sum itself is exact.
    const int steps = 100000;
    const long double limit = 1.9e-7L * std::sqrt(static_cast<long double>(steps));
    std::uint32_t sum = 0;
    long double exact = 0;
    for (int t = 0; t < steps; ++t) {
        const float theta = 3 * std::sin(0.7F * static_cast<float>(t % 1000) * static_cast<float>(t % 1000)), dt = 0.9F;
        sum += n::turn_of(theta, dt);
        exact += static_cast<long double>(theta) * dt;
    }
    CHECK(apart(n::angle_of<float>(sum), exact) < limit);
}

TEST_CASE("half a turn on each one computes parity", "[numerics]") {
    float phase = 0;
    int ones = 0;
    for (int t = 0; t < 1000; ++t) {
        const int bit = (t * t / 7) % 2;
        ones += bit;
        phase = n::advance_phase(phase, bit ? n::pi<float> : 0.0F, 1.0F);
        CHECK((n::sincos(phase).cos < 0) == (ones % 2 == 1));
    }
}

TEST_CASE("angular velocity stays within half a turn", "[numerics]") {
    CHECK(n::angular_velocity(0.0) == 0);
    CHECK(n::angular_velocity(100.0F) == n::pi<float>);
    CHECK(n::angular_velocity(-100.0) == -n::pi<double>);
}

TEST_CASE("rotary frequencies are powers of ten thousand", "[numerics]") {
    // Metric: relative error; log(10000)·j/S carries two roundings of a number below 9.3, so 10 ε.
    for (const int angles : {1, 2, 16, 33})
        for (int j = 0; j < angles; ++j) {
            const double want = std::pow(10000.0, -static_cast<double>(j) / angles);
            CHECK(std::fabs(n::rope_frequency<double>(j, angles) - want) <=
                  10 * std::numeric_limits<double>::epsilon() * want);
            CHECK(apart(n::rope_angle<float>(123456, j, angles), 123456.0L * want) < 1e-6);
        }
}
