#include "core/training/grouping.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"

namespace whorl {
namespace {

// With `more` digits than people need.
std::string with_digits(std::int64_t bytes, int more) {
    const double mib = static_cast<double>(bytes) / (1 << 20);
    return mib >= 1000 ? fmt::format("{:.{}f} GiB", mib / 1024, 1 + more)
                       : fmt::format("{:.{}f} MiB", mib, (mib < 10 ? 2 : 0) + more);
}

}  // namespace

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
        throw UserError(fmt::format("one replica needs {}: none fits; choose a smaller batch, length or model",
                                    shortage_text(one + need.kept, " for " + need.what, memory)));
    if (most < replicas)
        throw UserError(fmt::format("{} replicas need {}: {} fit", replicas,
                                    shortage_text(one + replicas * need.kept, " for parameters and moments", memory),
                                    most));
    if (request.replicas == 0) return largest_group(need, replicas, memory);
    const std::int64_t wanted = std::min(request.replicas, replicas);
    if (need.group(wanted) > memory - replicas * need.kept)
        throw UserError(
            fmt::format("a group of {} replicas needs {}: {} fit", wanted,
                        shortage_text(need.group(wanted) + replicas * need.kept, " for " + need.what, memory),
                        largest_group(need, replicas, memory)));
    return wanted;
}

std::string memory_text(std::int64_t bytes) {
    return with_digits(bytes, 0);
}

std::string shortage_text(std::int64_t needed, const std::string& what, std::int64_t held) {
    constexpr int kMostDigits = 4;
    const auto text = [&](const std::string& more, const std::string& less) {
        return fmt::format("{}{}, and {} may be used", more, what, less);
    };
    for (int digits = 0; digits < kMostDigits; ++digits) {
        const std::string more = with_digits(needed, digits), less = with_digits(held, digits);
        if (more != less) return text(more, less);
    }
    return text(fmt::format("{} bytes", needed), fmt::format("{} bytes", held));
}

}  // namespace whorl
