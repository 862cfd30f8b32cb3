// An element's bits must not depend on its place in a loop: vector body, scalar tail, or computed alone.
#include <cmath>
#include <cstring>
#include <vector>

#include "core/numerics/activations.hpp"
#include "core/numerics/discretization.hpp"
#include "core/numerics/rotation.hpp"
#include "tests/support/catch.hpp"

namespace n = whorl::numerics;

namespace {

/// Each formula as a type, so that the loop below is compiled with it inside.
#define FORMULA(formula, expression)                  \
    struct formula {                                  \
        static constexpr const char* name = #formula; \
        template <class T>                            \
        static T value(T x) {                         \
            return expression;                        \
        }                                             \
    }
FORMULA(Exp, n::exp(x));
FORMULA(Expm1, n::expm1(x));
FORMULA(Log, n::log(x + T(12)));
FORMULA(Log1p, n::log1p(x + T(11)));
FORMULA(Sigmoid, n::sigmoid(x));
FORMULA(SigmoidDerivative, n::sigmoid_derivative(x));
FORMULA(Softplus, n::softplus(x));
FORMULA(SoftplusInverse, n::softplus_inverse(x + T(12)));
FORMULA(Tanh, n::tanh(x));
FORMULA(TanhDerivative, n::tanh_derivative(x));
FORMULA(Silu, n::silu(x));
FORMULA(SiluDerivative, n::silu_derivative(x));
FORMULA(HeavyTail, n::heavy_tail(x));
FORMULA(HeavyTailDerivative, n::heavy_tail_derivative(x));
FORMULA(Sine, n::sincos(x).sin);
FORMULA(Cosine, n::sincos(x).cos);
FORMULA(Phase, n::advance_phase(x, T(0.7), x));
FORMULA(Rotation, (n::rotate<T>({x, T(0.3)}, T(0.6), T(0.8)).x + n::rotate_back<T>({x, T(0.3)}, T(0.6), T(0.8)).y));
FORMULA(StepBackward, n::exp_trapezoid_backward<T>(T(0.1), x, T(0.4), {T(0.3), x, T(0.7)}).dt);
#undef FORMULA

template <class Formula, class T>
[[gnu::noinline]] void apply(const T* x, T* y, int count) {
#pragma omp simd
    for (int i = 0; i < count; ++i) y[i] = Formula::value(x[i]);
}

template <class Formula, class T>
[[gnu::noinline]] T apply_alone(T x) {
    return Formula::value(x);
}

template <class T>
bool same_bits(T a, T b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class T>
std::vector<T> arguments() {
    std::vector<T> x;
    for (int i = 0; i < 80; ++i) x.push_back(T(9.37) * static_cast<T>(std::sin(1.7 * i)));
    return x;
}

/// Over all lengths and offsets a packet can have: how many elements differ from `alone`.
template <class Formula, class T, class Alone>
int differing(Alone alone) {
    const std::vector<T> x = arguments<T>();
    int count = 0;
    for (int length = 1; length <= 67; ++length)
        for (int offset = 0; offset < 8; ++offset) {
            std::vector<T> y(80);
            apply<Formula, T>(x.data() + offset, y.data() + offset, length);
            for (int i = offset; i < offset + length; ++i)
                count += !same_bits(y[static_cast<std::size_t>(i)], alone(x[static_cast<std::size_t>(i)]));
        }
    return count;
}

template <class Formula, class T>
void check() {
    CAPTURE(Formula::name);
    CHECK(differing<Formula, T>(apply_alone<Formula, T>) == 0);
}

template <class T, class... Formulas>
void check_all() {
    (check<Formulas, T>(), ...);
}

}  // namespace

TEMPLATE_TEST_CASE("an element has the same bits anywhere in a loop", "[numerics]", float, double) {
    check_all<TestType, Exp, Expm1, Log, Log1p, Sigmoid, SigmoidDerivative, Softplus, SoftplusInverse, Tanh,
              TanhDerivative, Silu, SiluDerivative, HeavyTail, HeavyTailDerivative, Sine, Cosine, Phase, Rotation,
              StepBackward>();
}

TEST_CASE("the comparison of bits sees a last place", "[numerics]") {
    CHECK(differing<Tanh, float>([](float x) { return std::nextafter(n::tanh(x), 2.0F); }) > 0);
    CHECK(differing<Sine, float>([](float x) { return std::sin(x); }) > 0);
}
