// An owned POSIX file descriptor, and the loops around read and write that signals and short counts make necessary.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace whorl {

class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor();

    int number() const { return number_; }
    bool is_open() const { return number_ >= 0; }
    /// Closes now and says whether that succeeded: late write errors show here.
    bool close();

private:
    int number_;
};

/// Opens a regular file for reading: every file that the program reads by a name from people or a folder is opened
/// here, so that no named pipe, socket, device or folder is taken for one, nor waited for. Throws UserError
/// `path: what` when it is missing, unreadable, or no regular file.
Descriptor open_regular_file(const std::string& path);

/// The same for writing in place, with `flags` (such as O_CREAT | O_APPEND) besides. Throws UserError when it is no
/// regular file, RuntimeFailure when it cannot be opened.
Descriptor open_regular_file_to_write(const std::string& path, int flags = 0);

/// Opens a folder and takes it for this process alone, until the descriptor is closed or the process ends, however it
/// ends. Throws UserError when another process has taken it; `what` is what is worked on, as "this run". On a file
/// system without locks nothing is taken.
Descriptor hold_folder(const std::string& path, const std::string& what);

std::uint64_t file_size(const Descriptor& file, const std::string& path);

/// Fills `out` from `offset`; returns the bytes read, fewer only at the end of the file. Throws RuntimeFailure.
std::size_t read_at(const Descriptor& file, std::uint64_t offset, std::span<std::byte> out, const std::string& path);

/// Writes everything. Throws RuntimeFailure.
void write_all(const Descriptor& file, std::span<const std::byte> bytes, const std::string& path);

/// Throws RuntimeFailure `path: what: reason of errno`, with "disk full" in plain words.
[[noreturn]] void fail_with_errno(const std::string& path, const std::string& what, int error);

}  // namespace whorl
