#include "app/check/binomial.hpp"

#include <cmath>

namespace whorl {
namespace {

/// P(X >= passed) for X binomial(count, rate).
double tail(std::int64_t passed, std::int64_t count, double rate) {
    if (passed <= 0) return 1;
    if (rate <= 0) return 0;
    if (rate >= 1) return 1;
    const auto n = static_cast<double>(count);
    double sum = 0;
    for (std::int64_t i = passed; i <= count; ++i) {
        const auto k = static_cast<double>(i);
        sum += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) + k * std::log(rate) +
                        (n - k) * std::log1p(-rate));
    }
    return sum;
}

}  // namespace

double lower_pass_rate(std::int64_t passed, std::int64_t count, double confidence) {
    double low = 0, high = 1;
    // The tail grows with the rate: bisection to the last bit that matters.
    for (int i = 0; i < 60; ++i) {
        const double middle = 0.5 * (low + high);
        (tail(passed, count, middle) < 1 - confidence ? low : high) = middle;
    }
    return passed == 0 ? 0 : low;
}

double upper_pass_rate(std::int64_t passed, std::int64_t count, double confidence) {
    return 1 - lower_pass_rate(count - passed, count, confidence);
}

}  // namespace whorl
