// Counter-based random numbers: every draw is a pure function of (seed, purpose, step, index) and of its place in that
// stream, never of the order of calls elsewhere, so threads, devices and interrupted runs see the same numbers.
//
// The block function is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011).
#pragma once

#include <cstdint>

#include "core/numerics/activations.hpp"

namespace whorl {

struct PhiloxCounter {
    std::uint32_t word[4];
    friend constexpr bool operator==(const PhiloxCounter&, const PhiloxCounter&) = default;
};

struct PhiloxKey {
    std::uint32_t word[2];
};

/// Philox4x32 with ten rounds: for each 64-bit key a bijection of the 128-bit counter.
WHORL_HD constexpr PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter.word[0];
        const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter.word[2];
        counter = {{static_cast<std::uint32_t>(product1 >> 32) ^ counter.word[1] ^ key.word[0],
                    static_cast<std::uint32_t>(product1),
                    static_cast<std::uint32_t>(product0 >> 32) ^ counter.word[3] ^ key.word[1],
                    static_cast<std::uint32_t>(product0)}};
        key = {{key.word[0] + 0x9E3779B9U, key.word[1] + 0xBB67AE85U}};
    }
    return counter;
}

/// What draws are for; different purposes never share a counter. Recorded runs depend on the numbers: append, never
/// renumber.
enum class Purpose : std::uint32_t {
    parameter_init = 1,
    train_data = 2,
    validation_data = 3,
    test_data = 4,
    sweep = 5,
    sampling = 6,
    test_fixture = 7,
    stand_in_text = 8,
};

/// The first words of a stream, a multiple of four of them, where they are known already: Random::block tells them in
/// any order, so many threads can find them side by side.
struct DrawnWords {
    const std::uint32_t* words = nullptr;
    std::uint32_t count = 0;
};

/// The draws of one (seed, purpose, step, index), in order. A value: copy it to draw the same numbers again.
///
/// `step` is the training step (or the parameter's number, at initialisation) below 2^48; `index` the sequence in the
/// batch (or the element) below 2^32. Higher bits are dropped. One stream holds 2^26 words of 32 bits; the words after
/// that repeat the first ones. Every (purpose, step, index, word) in range has its own counter bits; the key is the
/// seed.
class Random {
public:
    WHORL_HD constexpr Random(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t index,
                              const DrawnWords& drawn = {})
        : drawn_(drawn),
          key_{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}},
          step_(step),
          index_(static_cast<std::uint32_t>(index)),
          purpose_(static_cast<std::uint32_t>(purpose)) {}

    /// Words 4·number … 4·number + 3 of the stream.
    WHORL_HD constexpr PhiloxCounter block(std::uint32_t number) const { return philox4x32(counter_of(number), key_); }

    /// 32 uniform bits.
    WHORL_HD constexpr std::uint32_t bits() {
        if (used_ < drawn_.count) return drawn_.words[used_++];
        if (used_ % 4 == 0) {
            block_ = block(used_ / 4);
        }
        return block_.word[used_++ % 4];
    }

    /// 64 uniform bits; the first word drawn is the low half.
    WHORL_HD constexpr std::uint64_t bits64() {
        const std::uint64_t low = bits();
        return low | (static_cast<std::uint64_t>(bits()) << 32);
    }

    /// A whole number in [0, n), n ≥ 1; 0 for n = 0. Multiply-and-shift of 64 bits without rejection, so every call
    /// takes two words: probabilities differ from 1/n by less than 2^-64, a relative bias below n·2^-64 ≤ 2^-32 that no
    /// run can notice.
    WHORL_HD constexpr std::uint32_t below(std::uint32_t n) {
        const std::uint64_t low = static_cast<std::uint64_t>(bits()) * n;
        const std::uint64_t high = static_cast<std::uint64_t>(bits()) * n;
        return static_cast<std::uint32_t>((high + (low >> 32)) >> 32);
    }

    /// Uniform in [0, 1): a multiple of 2^-53.
    WHORL_HD constexpr double uniform() { return static_cast<double>(bits64() >> 11) * 0x1p-53; }

    /// Uniform in [low, high]; the upper end is reached by rounding only.
    WHORL_HD constexpr double uniform(double low, double high) { return numerics::fma(high - low, uniform(), low); }

    /// Standard normal by Box and Muller's transform, in double with our own log, sin and cos, so that every machine
    /// draws the same bits. Uses four words and gives one number: no half-used pair is kept, so a draw depends on its
    /// place only.
    WHORL_HD constexpr double normal() {
        const double radius_draw = uniform() + 0x1p-53;  // in (0, 1]: its logarithm is finite
        const double turn = uniform();
        return numerics::sqrt(-2.0 * numerics::log(radius_draw)) *
               numerics::sincos(2.0 * 3.14159265358979323846 * turn).cos;
    }

private:
    WHORL_HD constexpr PhiloxCounter counter_of(std::uint32_t block) const {
        return {{index_, static_cast<std::uint32_t>(step_),
                 static_cast<std::uint32_t>((step_ >> 32) & 0xFFFFU) | (block << 16),
                 ((block >> 16) & 0xFFU) | (purpose_ << 8)}};
    }

    DrawnWords drawn_;
    PhiloxKey key_;
    std::uint64_t step_;
    std::uint32_t index_;
    std::uint32_t purpose_;
    std::uint32_t used_ = 0;
    PhiloxCounter block_{};
};

}  // namespace whorl
