#include "viz/plot/tracks.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace whorl::plot {

std::vector<double> shares_of(const std::vector<double>& given, int count) {
    std::vector<double> shares = given;
    if (shares.empty()) shares.assign(static_cast<std::size_t>(count), 1);
    double sum = 0;
    for (const double share : shares) sum += share;
    for (double& share : shares) share /= sum;
    return shares;
}

std::vector<Track> tracks(double low, const std::vector<double>& sizes, double gap) {
    std::vector<Track> found;
    for (const double size : sizes) {
        found.push_back({low, low + size});
        low += size + gap;
    }
    return found;
}

std::vector<double> sizes_of(const std::vector<double>& shares, const std::vector<double>& needs, double length,
                             double gap) {
    const double all = std::max(1.0, length - gap * static_cast<double>(shares.size() - 1));
    std::vector<double> sizes;
    for (const double share : shares) sizes.push_back(share * all);
    for (int round = 0; round < 8; ++round) {
        double missing = 0, spare = 0;
        for (std::size_t i = 0; i < sizes.size(); ++i)
            (sizes[i] < needs[i] ? missing : spare) += std::abs(sizes[i] - needs[i]);
        if (missing < 0.01 || spare < 0.01) break;
        const double given = std::min(1.0, missing / spare), got = std::min(1.0, spare / missing);
        for (std::size_t i = 0; i < sizes.size(); ++i)
            sizes[i] += (needs[i] - sizes[i]) * (sizes[i] < needs[i] ? got : given);
    }
    return sizes;
}

}  // namespace whorl::plot
