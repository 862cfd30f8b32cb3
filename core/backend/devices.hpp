// The devices that train a population together.
#pragma once

#include <string>
#include <vector>

#include "core/backend/backend.hpp"

namespace whorl {

/// At least one, in the order in which shares of the work are handed out. Owns none of them.
class Devices {
public:
    Devices(Backend& one) : all_{&one} {}  // implicit: most work has a single device
    explicit Devices(std::vector<Backend*> all) : all_(std::move(all)) {}

    std::size_t size() const { return all_.size(); }
    Backend& operator[](std::size_t i) const { return *all_[i]; }
    Backend& first() const { return *all_.front(); }
    /// The first `count` of them, or all when there are not so many.
    Devices at_most(std::size_t count) const;

    void set_precision(const Precision& precision) const;
    /// What they are, each kind once: how many of a kind there are changes no result.
    std::string describe() const;

private:
    std::vector<Backend*> all_;
};

}  // namespace whorl
