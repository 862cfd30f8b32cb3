#include "core/numerics/activations.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/ulp.hpp"

namespace n = whorl::numerics;
using namespace whorl::test;

namespace {

// Metric: worst error in ulp over a dense grid. Two is one for the last rounding and one for all that comes before it.
constexpr long double kUlpLimit = 2;
// A product of two or three factors of that kind.
constexpr long double kDerivativeUlpLimit = 5;
constexpr int kGrid = 200000;

template <class T>
constexpr bool single = std::is_same_v<T, float>;

// Between these, e^x is neither 0 nor infinite.
template <class T>
constexpr T exp_low = single<T> ? T(-104) : T(-745);
template <class T>
constexpr T exp_high = single<T> ? T(89) : T(710);

long double sigmoid_reference(long double x) {
    const long double e = std::exp(-std::fabs(x));
    return (x < 0 ? e : 1.0L) / (1.0L + e);
}
long double softplus_reference(long double x) {
    return std::fmax(x, 0.0L) + std::log1p(std::exp(-std::fabs(x)));
}

#ifndef __clang__  // whose __builtin_fma is no constant expression
static_assert(n::exp(0.0) == 1.0 && n::exp(0.0F) == 1.0F);
static_assert(n::exp(-200.0F) == 0.0F && n::exp(-800.0) == 0.0);
static_assert(n::expm1(0.0) == 0.0 && n::log1p(0.0) == 0.0 && n::log(1.0) == 0.0);
static_assert(n::sigmoid(0.0) == 0.5 && n::tanh(0.0) == 0.0 && n::silu(0.0) == 0.0);
static_assert(n::sincos(0.0).sin == 0.0 && n::sincos(0.0).cos == 1.0);
#endif
static_assert(n::heavy_tail(0.0) == 1.0 && n::heavy_tail(3.0) == 4.0 && n::heavy_tail(-1.0) == 0.5);
static_assert(n::heavy_tail_derivative(0.0) == 1.0 && n::heavy_tail_derivative(-1.0) == 0.25);

}  // namespace

TEMPLATE_TEST_CASE("exponentials are within two ulp", "[numerics]", float, double) {
    using T = TestType;
    const auto exp = [](T x) { return n::exp(x); };
    const auto exp_reference = [](long double x) { return std::exp(x); };
    CHECK(worst_ulp<T>(exp_low<T>, exp_high<T>, kGrid, exp, exp_reference) <= kUlpLimit);
    CHECK(worst_ulp<T>(-1, 1, kGrid, exp, exp_reference) <= kUlpLimit);
    const auto expm1 = [](T x) { return n::expm1(x); };
    const auto expm1_reference = [](long double x) { return std::expm1(x); };
    CHECK(worst_ulp<T>(-50, exp_high<T>, kGrid, expm1, expm1_reference) <= kUlpLimit);
    CHECK(worst_ulp<T>(-1.5, 1.5, kGrid, expm1, expm1_reference) <= kUlpLimit);
    CHECK(worst_ulp_log<T>(T(1e-30), 1, kGrid, expm1, expm1_reference) <= kUlpLimit);
}

TEMPLATE_TEST_CASE("logarithms are within two ulp", "[numerics]", float, double) {
    using T = TestType;
    const auto log = [](T x) { return n::log(x); };
    const auto log_reference = [](long double x) { return std::log(x); };
    CHECK(worst_ulp<T>(T(0.3), 3, kGrid, log, log_reference) <= kUlpLimit);
    CHECK(worst_ulp_log<T>(std::numeric_limits<T>::denorm_min(), std::numeric_limits<T>::max(), kGrid, log,
                           log_reference) <= kUlpLimit);
    const auto log1p = [](T x) { return n::log1p(x); };
    const auto log1p_reference = [](long double x) { return std::log1p(x); };
    CHECK(worst_ulp<T>(T(-0.9999), 3, kGrid, log1p, log1p_reference) <= kUlpLimit);
    CHECK(worst_ulp_log<T>(T(1e-30), std::numeric_limits<T>::max(), kGrid, log1p, log1p_reference) <= kUlpLimit);
    CHECK(worst_ulp_log<T>(T(-1e-30), T(-0.9), kGrid, log1p, log1p_reference) <= kUlpLimit);
}

TEMPLATE_TEST_CASE("activations are within two ulp", "[numerics]", float, double) {
    using T = TestType;
    const auto sigmoid = [](T x) { return n::sigmoid(x); };
    const auto softplus = [](T x) { return n::softplus(x); };
    const auto silu = [](T x) { return n::silu(x); };
    const auto silu_reference = [](long double x) { return x * sigmoid_reference(x); };
    for (const T bound : {T(4), -exp_low<T>}) {
        CHECK(worst_ulp<T>(-bound, bound, kGrid, sigmoid, sigmoid_reference) <= kUlpLimit);
        CHECK(worst_ulp<T>(-bound, bound, kGrid, softplus, softplus_reference) <= kUlpLimit);
    }
    // Further down e^x is subnormal and x e^x inherits its few digits.
    CHECK(worst_ulp<T>(-4, 4, kGrid, silu, silu_reference) <= kUlpLimit);
    CHECK(worst_ulp<T>(T(-80), 80, kGrid, silu, silu_reference) <= kUlpLimit);
    const auto tanh = [](T x) { return n::tanh(x); };
    const auto tanh_reference = [](long double x) { return std::tanh(x); };
    CHECK(worst_ulp<T>(-25, 25, kGrid, tanh, tanh_reference) <= kUlpLimit);
    CHECK(worst_ulp<T>(-1, 1, kGrid, tanh, tanh_reference) <= kUlpLimit);
    CHECK(worst_ulp<T>(T(0.5), T(0.53), kGrid, tanh, tanh_reference) <= kUlpLimit);  // where it is worst
    CHECK(worst_ulp_log<T>(T(1e-30), 1, kGrid, tanh, tanh_reference) <= kUlpLimit);
    for (T x = 0; x < 10; x += T(0.01)) CHECK(n::tanh(-x) == -n::tanh(x));
}

TEMPLATE_TEST_CASE("sine and cosine are within two ulp over the stated range", "[numerics]", float, double) {
    using T = TestType;
    const auto sin = [](T x) { return n::sincos(x).sin; };
    const auto cos = [](T x) { return n::sincos(x).cos; };
    const auto sin_reference = [](long double x) { return std::sin(x); };
    const auto cos_reference = [](long double x) { return std::cos(x); };
    for (const T bound : {T(7), single<T> ? T(1e4) : T(1e6)}) {
        CHECK(worst_ulp<T>(-bound, bound, kGrid, sin, sin_reference) <= kUlpLimit);
        CHECK(worst_ulp<T>(-bound, bound, kGrid, cos, cos_reference) <= kUlpLimit);
    }
    // The hardest arguments: those nearest to multiples of a quarter turn, where one of the two almost vanishes.
    long double worst = 0;
    for (int k = 1; k < 6300; ++k) {
        const T x = static_cast<T>(k * 1.57079632679489661923132169163975144L);
        worst = std::fmax(worst, ulp_error<T>(n::sincos(x).sin, std::sin(static_cast<long double>(x))));
        worst = std::fmax(worst, ulp_error<T>(n::sincos(x).cos, std::cos(static_cast<long double>(x))));
    }
    // Long double's own argument reduction leaves 2^-64 relative to x ~ 10⁴, about 0.1 ulp of a double's residue at
    // worst: below the limit.
    CHECK(worst <= kUlpLimit);
}

TEMPLATE_TEST_CASE("derivatives keep their relative accuracy in the tails", "[numerics]", float, double) {
    using T = TestType;
    const auto sigmoid_slope = [](long double x) { return sigmoid_reference(x) * sigmoid_reference(-x); };
    CHECK(worst_ulp<T>(
              -40, 40, kGrid, [](T x) { return n::sigmoid_derivative(x); }, sigmoid_slope) <= kDerivativeUlpLimit);
    CHECK(worst_ulp<T>(
              -20, 20, kGrid, [](T x) { return n::tanh_derivative(x); },
              [&](long double x) { return 4 * sigmoid_slope(2 * x); }) <= kDerivativeUlpLimit);
    // silu' has a zero near -1.28, so its error is measured against 1 instead.
    long double worst = 0;
    for (T x = -40; x < 40; x += T(0.001)) {
        const long double s = sigmoid_reference(x), want = s * (1 + x * (1 - s));
        worst = std::fmax(worst, std::fabs(n::silu_derivative(x) - want));
    }
    CHECK(worst <= 4 * std::numeric_limits<T>::epsilon());
}

TEST_CASE("derivatives equal central differences", "[numerics]") {
    // Metric: absolute difference. Step 1e-5 leaves h²f'''/6 ≈ 1e-11 and rounding ε/h ≈ 2e-11 for values of order one.
    const double h = 1e-5, limit = 1e-9;
    const auto slope = [h](auto f, double x) { return (f(x + h) - f(x - h)) / (2 * h); };
    for (double x = -6.005; x < 6; x += 0.01) {  // never within h of heavy_tail's kink in curvature at 0
        CAPTURE(x);
        CHECK(std::fabs(slope([](double v) { return n::sigmoid(v); }, x) - n::sigmoid_derivative(x)) < limit);
        CHECK(std::fabs(slope([](double v) { return n::softplus(v); }, x) - n::sigmoid(x)) < limit);
        CHECK(std::fabs(slope([](double v) { return n::tanh(v); }, x) - n::tanh_derivative(x)) < limit);
        CHECK(std::fabs(slope([](double v) { return n::silu(v); }, x) - n::silu_derivative(x)) < limit);
        CHECK(std::fabs(slope([](double v) { return n::heavy_tail(v); }, x) - n::heavy_tail_derivative(x)) < limit);
    }
}

TEMPLATE_TEST_CASE("softplus and its inverse undo each other", "[numerics]", float, double) {
    using T = TestType;
    // Metric: relative error of softplus(softplus⁻¹(y)); the inverse's rounding returns scaled by x σ(x)/softplus(x) ≤
    // ~10 at y = 1e-4.
    const T limit = 16 * std::numeric_limits<T>::epsilon();
    for (T y = T(1e-4); y < 100; y *= T(1.01)) {
        CAPTURE(y);
        CHECK(std::fabs(n::softplus(n::softplus_inverse(y)) - y) <= limit * y);
    }
}

TEMPLATE_TEST_CASE("infinities and NaN come out as mathematics has them", "[numerics]", float, double) {
    using T = TestType;
    const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    CHECK((n::exp(inf) == inf && n::exp(-inf) == 0 && n::exp(2 * exp_high<T>) == inf && n::exp(2 * exp_low<T>) == 0));
    CHECK((n::expm1(inf) == inf && n::expm1(-inf) == -1));
    CHECK((n::log(inf) == inf && n::log(T(0)) == -inf && std::isnan(n::log(T(-1)))));
    CHECK((n::log1p(inf) == inf && n::log1p(T(-1)) == -inf && std::isnan(n::log1p(T(-2)))));
    CHECK((n::sigmoid(inf) == 1 && n::sigmoid(-inf) == 0));
    CHECK((n::softplus(inf) == inf && n::softplus(-inf) == 0));
    CHECK((n::tanh(inf) == 1 && n::tanh(-inf) == -1 && n::silu(inf) == inf));
    CHECK((std::isnan(n::sincos(inf).sin) && std::isnan(n::sincos(-inf).cos)));
    CHECK(
        (std::isnan(n::exp(nan)) && std::isnan(n::expm1(nan)) && std::isnan(n::log(nan)) && std::isnan(n::log1p(nan))));
    CHECK((std::isnan(n::sigmoid(nan)) && std::isnan(n::softplus(nan)) && std::isnan(n::tanh(nan)) &&
           std::isnan(n::silu(nan))));
    CHECK((std::isnan(n::sincos(nan).sin) && std::isnan(n::sincos(nan).cos) && std::isnan(n::heavy_tail(nan))));
    CHECK((std::isnan(n::silu_derivative(nan)) && std::isnan(n::softplus_inverse(nan))));
}

TEST_CASE("exp underflows gradually", "[numerics]") {
    CHECK(n::exp(-103.5F) == std::numeric_limits<float>::denorm_min());
    CHECK((n::exp(-90.0F) > 0 && n::exp(-90.0F) < std::numeric_limits<float>::min()));
    CHECK(n::exp(-745.0) == std::numeric_limits<double>::denorm_min());
}

TEST_CASE("the accuracy check refuses the textbook formulas", "[numerics]") {
    CHECK(worst_ulp<float>(
              -10, 10, kGrid, [](float x) { return std::log(1 + std::exp(x)); }, softplus_reference) > 100);
    CHECK(worst_ulp<float>(
              -1, 1, kGrid, [](float x) { return std::exp(x) - 1; }, [](long double x) { return std::expm1(x); }) >
          100);
    CHECK(worst_ulp<float>(
              -1, 1, kGrid, [](float x) { return 1 - 2 / (std::exp(2 * x) + 1); },
              [](long double x) { return std::tanh(x); }) > 100);
    const auto sine_after_plain_reduction = [](float x) {
        return std::sin(x - 6.2831853F * std::nearbyint(x / 6.2831853F));
    };
    CHECK(worst_ulp<float>(-1e4F, 1e4F, kGrid, sine_after_plain_reduction, [](long double x) { return std::sin(x); }) >
          100);
    CHECK(worst_ulp<float>(
              -1, 1, 10, [](float) { return std::numeric_limits<float>::quiet_NaN(); },
              [](long double x) { return x; }) > kUlpLimit);
}
