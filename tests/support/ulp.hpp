// Error in units in the last place, against a reference in long double.
#pragma once

#include <cmath>
#include <limits>

namespace whorl::test {

/// The spacing of T's numbers at |y|; that of the subnormals below the smallest normal.
template <class T>
long double ulp_of(long double y) {
    y = std::fabs(y);
    if (y < std::numeric_limits<T>::min()) return std::numeric_limits<T>::denorm_min();
    int exponent = 0;
    std::frexp(y, &exponent);
    return std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits);
}

template <class T>
long double ulp_error(T got, long double want) {
    const bool overflows = std::fabs(want) > static_cast<long double>(std::numeric_limits<T>::max());
    if (overflows && std::isinf(got) && (got > 0) == (want > 0)) return 0;
    return std::fabs(static_cast<long double>(got) - want) / ulp_of<T>(want);
}

/// worst ← error where that is larger; NaN counts as infinite.
inline void larger_of(long double& worst, long double error) {
    if (!(error <= worst)) worst = std::isnan(error) ? std::numeric_limits<long double>::infinity() : error;
}

/// The largest error of f over count + 1 equally spaced arguments.
template <class T, class F, class Reference>
long double worst_ulp(T low, T high, int count, F f, Reference reference) {
    long double worst = 0;
    for (int i = 0; i <= count; ++i) {
        const T x = static_cast<T>(low + (static_cast<long double>(high) - low) * i / count);
        larger_of(worst, ulp_error<T>(f(x), reference(static_cast<long double>(x))));
    }
    return worst;
}

/// The same over arguments whose logarithms are equally spaced; low and high of one sign.
template <class T, class F, class Reference>
long double worst_ulp_log(T low, T high, int count, F f, Reference reference) {
    const auto at = [&](T u) {
        return static_cast<T>(low * std::pow(static_cast<long double>(high) / low, static_cast<long double>(u)));
    };
    return worst_ulp<T>(
        T(0), T(1), count, [&](T u) { return f(at(u)); },
        [&](long double u) { return reference(at(static_cast<T>(u))); });
}

}  // namespace whorl::test
