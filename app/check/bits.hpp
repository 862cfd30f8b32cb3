// Whether this build computes the bits that every build promises: the level `same_build`.
//
// On a processor, in float32, a training leaves the same bits whatever x86-64-v3 machine it runs on, whichever compiler
// (GCC 12 or newer, Clang 14 or newer) and C library the build used, and on however many threads. A short training of
// each mixer, whose checksum is known, tells whether that holds here.
#pragma once

#include <string>
#include <vector>

#include "core/backend/devices.hpp"

namespace whorl {

/// One short training: the built-in recipe "bits" with another model.
struct BitsCase {
    std::string model;     // a preset
    std::string checksum;  // of what it leaves behind
};

/// One for each mixer, and one that mixes two.
const std::vector<BitsCase>& bits_cases();

/// Trains, and returns the checksum of all replicas' parameters and moments.
std::string training_checksum(const std::string& model, const Devices& devices);
}  // namespace whorl
