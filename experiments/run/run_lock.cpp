#include "experiments/run/run_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "core/base/error.hpp"
#include "core/io/text.hpp"

namespace whorl {

RunLock::RunLock(const RunDirectory& run) : folder_(::open(run.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    // A file system without locks says so by another error; then there is nothing to hold.
    if (folder_.is_open() && ::flock(folder_.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        throw UserError(one_line(run.path() + ": another process is working on this run"));
}

}  // namespace whorl
