#include "core/training/grouping.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"

namespace whorl {

std::vector<Rows> equal_parts(std::int64_t rows, std::int64_t count) {
    std::vector<Rows> parts;
    for (std::int64_t i = 0, first = 0; i < count; ++i) {
        const std::int64_t size = rows / count + (i < rows % count ? 1 : 0);
        parts.push_back({first, size});
        first += size;
    }
    return parts;
}

std::vector<Rows> groups_of(std::int64_t rows, std::int64_t most) {
    return equal_parts(rows, (rows + most - 1) / most);
}

std::int64_t largest_group(const MemoryNeed& need, std::int64_t replicas, std::int64_t memory) {
    const std::int64_t left = memory - replicas * need.kept;
    const auto fits = [&](std::int64_t n) { return need.group(n) <= left; };
    if (fits(replicas)) return replicas;
    std::int64_t low = 0, high = replicas;  // low fits (0 needs nothing), high does not
    while (high - low > 1) {
        const std::int64_t middle = low + (high - low) / 2;
        (fits(middle) ? low : high) = middle;
    }
    return low;
}

std::int64_t choose_group(const MemoryNeed& need, std::int64_t replicas, const GroupRequest& request,
                          std::int64_t memory) {
    const std::int64_t one = need.group(1), most = (memory - one) / std::max<std::int64_t>(need.kept, 1);
    if (memory < one + need.kept)
        throw UserError(fmt::format(
            "one replica needs {} for {}, and {} may be used: none fits; choose a smaller batch, length or model",
            memory_text(one + need.kept), need.what, memory_text(memory)));
    if (most < replicas)
        throw UserError(fmt::format("{} replicas need {} for parameters and moments, and {} may be used: {} fit",
                                    replicas, memory_text(one + replicas * need.kept), memory_text(memory), most));
    if (request.replicas == 0) return largest_group(need, replicas, memory);
    const std::int64_t wanted = std::min(request.replicas, replicas);
    if (need.group(wanted) > memory - replicas * need.kept)
        throw UserError(fmt::format("a group of {} replicas needs {} for {}, and {} may be used: {} fit", wanted,
                                    memory_text(need.group(wanted) + replicas * need.kept), need.what,
                                    memory_text(memory), largest_group(need, replicas, memory)));
    return wanted;
}

std::string memory_text(std::int64_t bytes) {
    const double mib = static_cast<double>(bytes) / (1 << 20);
    return mib >= 1000 ? fmt::format("{:.1f} GiB", mib / 1024) : fmt::format("{:.{}f} MiB", mib, mib < 10 ? 2 : 0);
}

}  // namespace whorl
