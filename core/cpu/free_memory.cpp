#include "core/cpu/free_memory.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace whorl::cpu {
namespace {

constexpr std::int64_t kUnknown = std::int64_t{1} << 62;

// A file that holds one number; "max" and anything else mean no limit.
std::int64_t number_in(const std::string& path, std::int64_t otherwise) {
    std::int64_t number = 0;
    return std::ifstream(path) >> number ? number : otherwise;
}

std::int64_t available() {
    std::ifstream file("/proc/meminfo");
    std::int64_t kib = 0;
    for (std::string word; file >> word;)
        if (word == "MemAvailable:" && file >> kib) return kib * 1024;
    return kUnknown;
}

std::int64_t left_in(const std::string& limit, const std::string& used) {
    const std::int64_t most = number_in(limit, kUnknown);
    return most >= kUnknown ? kUnknown : std::max<std::int64_t>(0, most - number_in(used, 0));
}

}  // namespace

std::int64_t free_memory() {
    const std::string group = "/sys/fs/cgroup/";
    return std::min({available(), left_in(group + "memory.max", group + "memory.current"),
                     left_in(group + "memory/memory.limit_in_bytes", group + "memory/memory.usage_in_bytes")});
}

}  // namespace whorl::cpu
