#include "core/io/descriptor.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {
namespace {

// Linux moves at most 2 GB less a page in one call; asking for less keeps counts simple.
constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

std::string reason(int error) {
    if (error == ENOSPC) return "disk full";
    if (error == EDQUOT) return "disk quota exceeded";
    return std::strerror(error);
}

void require_regular(const Descriptor& file, const std::string& path) {
    struct stat info {};
    if (::fstat(file.number(), &info) != 0) fail_with_errno(path, "cannot be examined", errno);
    if (S_ISDIR(info.st_mode)) throw UserError(one_line(path + ": is a folder, expected a file"));
    if (!S_ISREG(info.st_mode)) throw UserError(one_line(path + ": is not a regular file"));
}

}  // namespace

Descriptor::~Descriptor() {
    close();
}

bool Descriptor::close() {
    const int number = std::exchange(number_, -1);
    return number < 0 || ::close(number) == 0 || errno == EINTR;
}

void fail_with_errno(const std::string& path, const std::string& what, int error) {
    throw RuntimeFailure(one_line(path + ": " + what + ": " + reason(error)));
}

Descriptor open_regular_file(const std::string& path) {
    // O_NONBLOCK: opening a named pipe must not wait for a writer.
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) {
        if (errno == ENOENT || errno == ENOTDIR) throw UserError(one_line(path + ": no such file"));
        if (errno == ENXIO) throw UserError(one_line(path + ": is not a regular file"));  // a socket
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO)
            fail_with_errno(path, "cannot be opened", errno);
        throw UserError(one_line(path + ": cannot be opened: " + reason(errno)));
    }
    require_regular(file, path);
    return file;
}

Descriptor open_regular_file_to_write(const std::string& path, int flags) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | flags, 0666));
    if (!file.is_open()) {
        if (errno == EISDIR) throw UserError(one_line(path + ": is a folder, expected a file"));
        if (errno == ENXIO)
            throw UserError(one_line(path + ": is not a regular file"));  // a pipe nobody reads, a socket
        fail_with_errno(path, "cannot be opened", errno);
    }
    require_regular(file, path);
    return file;
}

Descriptor hold_folder(const std::string& path, const std::string& what) {
    Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) fail_with_errno(path, "cannot be opened", errno);
    // A file system without locks says so by another error; then there is nothing to hold.
    if (::flock(folder.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        throw UserError(one_line(path + ": another process is working on " + what));
    return folder;
}

std::uint64_t file_size(const Descriptor& file, const std::string& path) {
    struct stat info {};
    if (::fstat(file.number(), &info) != 0) fail_with_errno(path, "cannot be examined", errno);
    return static_cast<std::uint64_t>(info.st_size);
}

std::size_t read_at(const Descriptor& file, std::uint64_t offset, std::span<std::byte> out, const std::string& path) {
    std::size_t done = 0;
    while (done < out.size()) {
        const std::size_t wanted = std::min(out.size() - done, kLargestTransfer);
        const ssize_t got = ::pread(file.number(), out.data() + done, wanted, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail_with_errno(path, "cannot be read", errno);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void write_all(const Descriptor& file, std::span<const std::byte> bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(file.number(), bytes.data(), std::min(bytes.size(), kLargestTransfer));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) fail_with_errno(path, "cannot be written", errno);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
}

}  // namespace whorl
