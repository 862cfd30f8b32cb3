// Several devices for tests: processors always, GPUs where there are two (on an emulated GPU there are).
#pragma once

#include <iostream>
#include <memory>
#include <vector>

#include "core/backend/devices.hpp"
#include "core/backend/factories.hpp"

namespace whorl::test {

/// Backends of one kind, one for each device.
class DeviceSet {
public:
    void add(std::unique_ptr<Backend> backend) { backends_.push_back(std::move(backend)); }
    std::size_t size() const { return backends_.size(); }
    /// The first `count`.
    Devices first(std::size_t count) const {
        std::vector<Backend*> all;
        for (std::size_t i = 0; i < count; ++i) all.push_back(backends_[i].get());
        return Devices(all);
    }

private:
    std::vector<std::unique_ptr<Backend>> backends_;
};

/// Three processors.
inline DeviceSet several_processors() {
    DeviceSet set;
    for (int i = 0; i < 3; ++i) set.add(make_cpu_backend(1));
    return set;
}

/// Up to `most` GPUs; empty, with a line printed once, where there are not two.
inline DeviceSet several_gpus(int most = 3) {
    DeviceSet set;
    const int count = cuda_device_count();
    if (count < 2) {
        static const bool said = (std::cout << "skipped: work on several GPUs (" << count << " here)\n").good();
        static_cast<void>(said);
        return set;
    }
    for (int i = 0; i < count && i < most; ++i) set.add(make_cuda_backend(i));
    set.first(1).first().attach();  // tests that know one GPU go on with the first
    return set;
}

/// All sets of at least two devices.
inline std::vector<DeviceSet> device_sets() {
    std::vector<DeviceSet> sets;
    sets.push_back(several_processors());
    if (DeviceSet gpus = several_gpus(); gpus.size() > 1) sets.push_back(std::move(gpus));
    return sets;
}

}  // namespace whorl::test
