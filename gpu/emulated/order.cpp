#include "gpu/emulated/order.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>

namespace whorl::emulated {
namespace {

/// SplitMix64.
std::uint64_t next_random(std::uint64_t& state) {
    std::uint64_t z = state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

}  // namespace

Order::Order() {
    const char* text = std::getenv("WHORL_EMULATED_ORDER");
    if (!text || *text == '\0' || std::strcmp(text, "forward") == 0) return;
    if (std::strcmp(text, "backward") == 0) {
        kind_ = Kind::backward;
        return;
    }
    char* end = nullptr;
    seed_ = std::strtoull(text, &end, 10);
    kind_ = Kind::shuffled;
    if (*end == '\0') return;
    std::fprintf(stderr, "WHORL_EMULATED_ORDER: '%s' is not forward, backward or a number\n", text);
    std::exit(2);
}

int Order::pick(std::uint32_t choices, std::uint64_t& state) const {
    if (kind_ == Kind::forward) return __builtin_ctz(choices);
    if (kind_ == Kind::backward) return 31 - __builtin_clz(choices);
    const auto skip = static_cast<int>(next_random(state) % static_cast<unsigned>(__builtin_popcount(choices)));
    for (int i = 0; i < skip; ++i) choices &= choices - 1;
    return __builtin_ctz(choices);
}

std::int64_t Order::of_block(std::int64_t turn, std::int64_t count) const {
    if (kind_ == Kind::forward) return turn;
    if (kind_ == Kind::backward) return count - 1 - turn;
    // A step that shares no factor with the count visits every block.
    std::uint64_t state = seed_;
    auto step = static_cast<std::int64_t>(next_random(state) % static_cast<std::uint64_t>(count));
    while (std::gcd(step, count) != 1) ++step;
    const auto first = static_cast<std::int64_t>(next_random(state) % static_cast<std::uint64_t>(count));
    return static_cast<std::int64_t>((static_cast<__int128>(turn) * step + first) % count);
}

const Order& order() {
    static const Order from_environment;
    return from_environment;
}

}  // namespace whorl::emulated
