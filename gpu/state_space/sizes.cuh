// What a kernel's compiler knows of a layer's sizes. Known sizes save divisions and address arithmetic; each set of
// them is a kernel of its own, so there are few.
#pragma once

namespace whorl::gpu {

struct AnySizes {};
/// One rank: a position is a row.
struct OneRank {};

/// Shape with constants in the place of its members of the same names.
template <class Sizes, class Shape>
struct Known : Shape {
    static constexpr bool kSingle = false;
};
template <class Shape>
struct Known<OneRank, Shape> : Shape {
    static constexpr bool kSingle = true, mimo = false;
    static constexpr int rank = 1;
};

}  // namespace whorl::gpu
