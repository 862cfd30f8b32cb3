#include "viz/data/kept_moments.hpp"

#include <algorithm>

namespace whorl::viz {

KeptMoments kept_moments(const RunDirectory& run) {
    KeptMoments moments;
    for (const SnapshotFile& file : run.snapshots()) moments.at.push_back({file.step, file.path});
    moments.snapshots = !moments.at.empty();
    if (!moments.snapshots)
        for (const CheckpointFiles& files : run.checkpoints()) moments.at.push_back({files.step, files.folder});
    return moments;
}

std::optional<KeptMoment> moment_at(const KeptMoments& moments, std::int64_t step) {
    if (moments.at.empty()) return std::nullopt;
    const auto later =
        std::find_if(moments.at.begin(), moments.at.end(), [&](const KeptMoment& one) { return one.step > step; });
    return later == moments.at.begin() ? moments.at.front() : *(later - 1);
}

}  // namespace whorl::viz
