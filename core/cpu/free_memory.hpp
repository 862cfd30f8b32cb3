// How much memory this process may still take.
#pragma once

#include <cstdint>

namespace whorl::cpu {

/// Bytes: what the system calls available, or less where a control group (a container, a batch job) sets a limit.
/// 2^62 where neither can be read.
std::int64_t free_memory();

}  // namespace whorl::cpu
