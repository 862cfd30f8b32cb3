// What a kernel's compiler knows of a layer's sizes. Known sizes save divisions, address arithmetic and bounds, which
// otherwise are most of what a kernel does; each set of them is a kernel of its own, so there are few.
#pragma once

namespace whorl::gpu {

struct AnySizes {};
/// One rank: a position is a row.
struct OneRank {};
/// One rank, this state size and head dim, channels that turn together side by side, and at most Rows positions in a
/// chunk.
template <int State, int Headdim, int Rows>
struct FixedSizes {};

/// Shape with constants in the place of its members of the same names. kRows, kState, kHeaddim are zero where unknown.
template <class Sizes, class Shape>
struct Known : Shape {
    static constexpr int kRows = 0, kState = 0, kHeaddim = 0;
    static constexpr bool kSingle = false;
};
template <class Shape>
struct Known<OneRank, Shape> : Shape {
    static constexpr int kRows = 0, kState = 0, kHeaddim = 0;
    static constexpr bool kSingle = true, mimo = false;
    static constexpr int rank = 1;
};
template <int State, int Headdim, int Rows, class Shape>
struct Known<FixedSizes<State, Headdim, Rows>, Shape> : Shape {
    static constexpr int kRows = Rows, kState = State, kHeaddim = Headdim;
    static constexpr bool kSingle = true, mimo = false, neighbours = true;
    static constexpr int rank = 1, state = State, headdim = Headdim;
};

}  // namespace whorl::gpu
