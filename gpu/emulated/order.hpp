// WHORL_EMULATED_ORDER: which of several lanes, warps and blocks goes first.
#pragma once

#include <cstdint>

namespace whorl::emulated {

class Order {
public:
    /// From the environment; ends the program when it says something else than forward, backward or a number.
    Order();

    /// One of the set bits of `choices`, which is not 0. `state` is the caller's, for a shuffle.
    int pick(std::uint32_t choices, std::uint64_t& state) const;
    /// The block that runs as `turn` of `count`.
    std::int64_t of_block(std::int64_t turn, std::int64_t count) const;
    bool is_forward() const { return kind_ == Kind::forward; }
    std::uint64_t seed() const { return seed_; }

private:
    enum class Kind : std::uint8_t { forward, backward, shuffled };
    Kind kind_ = Kind::forward;
    std::uint64_t seed_ = 0;
};

const Order& order();

}  // namespace whorl::emulated
