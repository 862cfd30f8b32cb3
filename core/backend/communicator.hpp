// Devices that share each batch of a training: what each has computed from its part becomes what the whole batch gives,
// the same on all of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/backend/devices.hpp"

namespace whorl {

/// Sums and means over each replica's supervised slots, f64 [R] on the device.
struct LossTensors {
    Tensor loss, correct, used;
};

/// One device's end of what connects them.
class Communicator {
public:
    virtual ~Communicator() = default;

    /// From a part of the batch to the whole, in place: `gradient` [R,1,1,slice], f32, and the loss from means over the
    /// part's used slots to means over all used slots; `correct` and `used` to their sums. Afterwards every device
    /// holds the same bits, which depend on the parts and on how many there are, not on time. All devices must ask for
    /// it, for as many replicas and in the same order; it can be recorded (Backend::record), by all or by none.
    virtual void combine(const Tensor& gradient, const LossTensors& losses) = 0;

    /// Returns when the threads of all devices have come here. A device waits in what is combined for the others, and a
    /// thread that allocates, frees, records or asks for a kernel for the first time may wait for all devices. Hence it
    /// does so only when it has asked for all that others wait for, and comes here before it asks for more.
    virtual void meet() = 0;

    /// Throws RuntimeFailure once abandoned: what was recorded must not run any more.
    virtual void check() = 0;

    /// Frees the others from waiting for a device that failed; nothing can be combined any more. For any thread.
    virtual void abandon() = 0;
};

/// One for each of the devices, GPUs that differ, for up to `replicas` replicas at once. To be destroyed after all
/// recordings and before the backends. Throws UserError where there is no way to connect them (see why_no_communicator)
/// and RuntimeFailure where connecting failed.
std::vector<std::unique_ptr<Communicator>> make_communicators(const Devices& devices, std::int64_t replicas);

/// Why make_communicators would throw whatever the devices, in a few words with what to do; empty when it would not.
std::string why_no_communicator();

}  // namespace whorl
