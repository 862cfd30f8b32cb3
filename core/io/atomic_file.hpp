// Files that are either the old one or the whole new one, whatever happens in between.
//
// The bytes go to a temporary name in the same directory; commit() makes them durable (fsync), renames, and makes the
// rename durable. An AtomicFile that is destroyed without commit() removes the temporary file; what a killed process
// left is removed by the next one that writes the same file. A writer holds a lock (flock) on its temporary file as
// long as it lives, so that nobody takes it for such a leftover.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/descriptor.hpp"

namespace whorl {

class AtomicFile {
public:
    /// Throws UserError when the folder is missing or not writable, or `path` is something other than a regular file.
    explicit AtomicFile(const std::string& path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    /// Throws RuntimeFailure when the machine cannot (disk full, quota, I/O error).
    void write(std::span<const std::byte> bytes);
    void write(std::string_view text);

    /// After this the file is at its path. Throws RuntimeFailure; the old file then still stands.
    void commit();

private:
    std::string path_;
    std::string temporary_;
    Descriptor file_;
};

/// The temporary files that killed writers of `path` left beside it; none where its folder does not exist.
std::vector<std::string> unfinished_files(const std::string& path);
/// Removes them.
void remove_unfinished(const std::string& path);

/// AtomicFile with one write.
void write_file(const std::string& path, std::string_view text);

/// The whole file. Throws UserError when it is missing, unreadable, not a regular file, or larger than `max_bytes`.
std::string read_text_file(const std::string& path, std::uint64_t max_bytes);

/// Makes the folder and those above it, where they are missing. Throws UserError when the path is at fault (no
/// permission, a file in the way), RuntimeFailure when the machine is (disk full).
void make_folders(const std::string& path);

/// Throws what make_folders throws for `error`, an errno.
[[noreturn]] void fail_to_make_folder(const std::string& path, int error);

/// Makes the names in a directory (creations, renames) durable. Throws RuntimeFailure.
void sync_directory(const std::string& path);

}  // namespace whorl
