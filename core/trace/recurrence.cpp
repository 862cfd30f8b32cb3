#include "core/trace/recurrence.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace whorl::trace {
namespace {

/// Jacobi's rotations: each makes one entry beside the diagonal zero, and a few sweeps over all of them leave rounding.
/// `matrix` becomes diagonal, the rows of `vectors` its eigenvectors.
class JacobiSolver {
public:
    JacobiSolver(Numbers& matrix, Numbers& vectors, std::size_t n) : a_(matrix), v_(vectors), n_(n) {}

    void solve() {
        constexpr int kSweeps = 30;
        for (int sweep = 0; sweep < kSweeps && !is_diagonal(); ++sweep)
            for (std::size_t p = 0; p < n_; ++p)
                for (std::size_t q = p + 1; q < n_; ++q) rotate(p, q);
    }

private:
    bool is_diagonal() const {
        double beside = 0, all = 0;
        for (std::size_t i = 0; i < n_; ++i)
            for (std::size_t j = 0; j < n_; ++j) {
                const double square = a_[i * n_ + j] * a_[i * n_ + j];
                all += square;
                if (i != j) beside += square;
            }
        return beside <= 1e-30 * all;
    }
    void rotate(std::size_t p, std::size_t q) {
        const double beside = a_[p * n_ + q];
        if (beside == 0) return;
        const double ratio = (a_[q * n_ + q] - a_[p * n_ + p]) / (2 * beside);
        const double tangent = (ratio < 0 ? -1 : 1) / (std::abs(ratio) + std::sqrt(ratio * ratio + 1));
        const double cos = 1 / std::sqrt(tangent * tangent + 1), sin = tangent * cos;
        for (std::size_t k = 0; k < n_; ++k) turn(a_[k * n_ + p], a_[k * n_ + q], cos, sin);
        for (std::size_t k = 0; k < n_; ++k) turn(a_[p * n_ + k], a_[q * n_ + k], cos, sin);
        for (std::size_t k = 0; k < n_; ++k) turn(v_[p * n_ + k], v_[q * n_ + k], cos, sin);
    }
    static void turn(double& first, double& second, double cos, double sin) {
        const double before = first;
        first = cos * before - sin * second;
        second = sin * before + cos * second;
    }

    Numbers &a_, &v_;
    std::size_t n_;
};

}  // namespace

Numbers along(const Numbers& w, const double* x, std::int64_t channels) {
    Numbers all(x, x + channels);
    return w.empty() ? all : Numbers{dot(w, all)};
}

std::vector<Numbers> directions(const Numbers& matrix, std::int64_t n) {
    const auto size = static_cast<std::size_t>(n);
    Numbers diagonal = matrix, vectors(size * size, 0.0);
    for (std::size_t i = 0; i < size; ++i) vectors[i * size + i] = 1;
    JacobiSolver(diagonal, vectors, size).solve();
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t i, std::size_t j) { return diagonal[i * size + i] > diagonal[j * size + j]; });
    std::vector<Numbers> result;
    for (const std::size_t i : order) {
        Numbers direction(vectors.begin() + static_cast<std::ptrdiff_t>(i * size),
                          vectors.begin() + static_cast<std::ptrdiff_t>((i + 1) * size));
        const auto largest = std::max_element(direction.begin(), direction.end(),
                                              [](double a, double b) { return std::abs(a) < std::abs(b); });
        if (*largest < 0) scale(direction, -1);
        result.push_back(std::move(direction));
    }
    return result;
}

Plane Recurrence::plane(const Numbers& energy) const {
    std::vector<Numbers> main = directions(energy, rows());
    if (main.size() == 1) main.push_back(Numbers(1, 0.0));
    return {main[0], main[1]};
}

}  // namespace whorl::trace
