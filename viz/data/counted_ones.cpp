#include "viz/data/counted_ones.hpp"

#include <algorithm>
#include <cmath>

namespace whorl::viz {
namespace {

constexpr double kSame = 1e-9;  // of the marks' span

std::vector<int> ones(std::size_t count) {
    return std::vector<int>(count, 1);
}

}  // namespace

std::vector<double> marks_of(const HandPair& pair, int modulus) {
    std::vector<double> marks = {0};
    const std::vector<double> behind = readouts_of(steps_of(pair, ones(static_cast<std::size_t>(modulus - 1))));
    marks.insert(marks.end(), behind.begin(), behind.end());
    return marks;
}

int answer_of(const std::vector<double>& marks, double readout) {
    const auto [low, high] = std::minmax_element(marks.begin(), marks.end());
    const double same = kSame * (*high - *low);
    std::size_t nearest = 0;
    for (std::size_t k = 1; k < marks.size(); ++k)
        if (std::fabs(marks[k] - readout) < std::fabs(marks[nearest] - readout) - same) nearest = k;
    return static_cast<int>(nearest);
}

std::vector<double> borders_of(std::vector<double> marks) {
    std::sort(marks.begin(), marks.end());
    std::vector<double> borders;
    for (std::size_t k = 1; k < marks.size(); ++k)
        if (marks[k] > marks[k - 1]) borders.push_back((marks[k - 1] + marks[k]) / 2);
    return borders;
}

std::optional<std::size_t> CountedOnes::first_wrong() const {
    for (std::size_t t = 0; t < right.size(); ++t)
        if (right[t] != said[t]) return t;
    return std::nullopt;
}

CountedOnes count_ones(const HandPair& pair, const std::vector<int>& bits, int modulus) {
    const std::vector<double> marks = marks_of(pair, modulus);
    CountedOnes counted{{}, {}, readouts_of(steps_of(pair, bits))};
    int count = 0;
    for (std::size_t t = 0; t < bits.size(); ++t) {
        count = (count + bits[t]) % modulus;
        counted.right.push_back(count);
        counted.said.push_back(answer_of(marks, counted.readouts[t]));
    }
    return counted;
}

std::optional<std::size_t> first_wrong_ones(const HandPair& pair, int modulus, std::size_t most) {
    const auto wrong = count_ones(pair, ones(most), modulus).first_wrong();
    return wrong ? std::optional(*wrong + 1) : std::nullopt;
}

}  // namespace whorl::viz
