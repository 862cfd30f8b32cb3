// Populations larger than the memory: all parameters stay, and what a step computes with is there for one group of
// replicas at a time. Replicas know nothing of each other, so that groups change no bit (determinism: same_replica).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace whorl {

/// Consecutive rows of a population.
struct Rows {
    std::int64_t first = 0, count = 0;
};

/// Rows [0, rows) in `count` parts, equal in size but for one, the larger ones first.
std::vector<Rows> equal_parts(std::int64_t rows, std::int64_t count);
/// Rows [0, rows) in as few groups of at most `most` as possible, equal in size but for one.
std::vector<Rows> groups_of(std::int64_t rows, std::int64_t most);

/// What a caller asks for.
struct GroupRequest {
    std::int64_t replicas = 0;  // at once; 0: as many as fit
    std::int64_t memory = 0;    // bytes in all; 0: nine tenths of what is free
};

/// Bytes that a population needs: `kept` per replica for as long as it lives, and `group(n)` while n are computed.
struct MemoryNeed {
    std::int64_t kept = 0;
    std::function<std::int64_t(std::int64_t)> group;  // does not fall as n grows
    std::string what;                                 // "a batch of 64 sequences of 40 positions", for messages
};

/// The largest number of the `replicas` that can be computed at once within `memory` bytes; 0 when not even one can.
std::int64_t largest_group(const MemoryNeed& need, std::int64_t replicas, std::int64_t memory);

/// The group that `request` means. Throws UserError that says how many fit, for a population or group that does not.
std::int64_t choose_group(const MemoryNeed& need, std::int64_t replicas, const GroupRequest& request,
                          std::int64_t memory);

/// "1.5 GiB", "20 MiB".
std::string memory_text(std::int64_t bytes);
/// "NEEDED WHAT, and HELD may be used" for a need that exceeds what there is: with as many digits as tell the two
/// apart. `what` begins with a blank, or is empty.
std::string shortage_text(std::int64_t needed, const std::string& what, std::int64_t held);

}  // namespace whorl
