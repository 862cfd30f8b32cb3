// One process at a time works on a run.
#pragma once

#include "core/io/descriptor.hpp"
#include "core/io/run_directory.hpp"

namespace whorl {

/// Holds a run's folder until it is destroyed or the process ends, however it ends.
class RunLock {
public:
    /// Throws UserError when another process holds it.
    explicit RunLock(const RunDirectory& run);

private:
    Descriptor folder_;
};

}  // namespace whorl
