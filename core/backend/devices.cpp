#include "core/backend/devices.hpp"

#include <algorithm>

namespace whorl {

Devices Devices::at_most(std::size_t count) const {
    const auto end = all_.begin() + static_cast<std::ptrdiff_t>(std::min(count, all_.size()));
    return Devices(std::vector<Backend*>(all_.begin(), end));
}

void Devices::set_precision(const Precision& precision) const {
    for (Backend* one : all_) one->set_precision(precision);
}

std::string Devices::describe() const {
    std::vector<std::string> kinds;
    for (const Backend* one : all_)
        if (std::find(kinds.begin(), kinds.end(), one->describe()) == kinds.end()) kinds.push_back(one->describe());
    std::string text;
    for (const std::string& kind : kinds) text += (text.empty() ? "" : " and ") + kind;
    return text;
}

}  // namespace whorl
