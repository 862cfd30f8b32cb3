#include "core/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {
namespace {

namespace fs = std::filesystem;

std::string folder_of(const std::string& path) {
    const std::string folder = fs::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

void check_target(const std::string& path) {
    if (path.empty() || fs::path(path).filename().empty()) throw UserError(one_line(path + ": names no file to write"));
    std::error_code ignored;
    if (!fs::is_directory(folder_of(path), ignored))
        throw UserError(one_line(path + ": the folder " + in_quotes(folder_of(path)) + " does not exist"));
    const fs::file_status status = fs::status(path, ignored);
    if (fs::exists(status) && !fs::is_regular_file(status))
        throw UserError(one_line(path + ": exists and is not a regular file"));
}

/// What the names of a file's temporary files begin with.
std::string temporary_stem(const std::string& path) {
    return "." + fs::path(path).filename().string() + ".tmp-";
}

// Unique among the threads of this process by the counter, among processes by O_EXCL.
std::string temporary_name(const std::string& path) {
    static std::atomic<unsigned> counter{0};
    const std::string suffix = std::to_string(::getpid()) + "-" + std::to_string(counter++);
    return (fs::path(folder_of(path)) / (temporary_stem(path) + suffix)).string();
}

/// False when another process took the new file for a leftover before it was locked, and removed it or is about to.
/// A file system without locks has no such process, for to it every file seems held.
bool hold(const Descriptor& file) {
    if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
    struct stat info {};
    return ::fstat(file.number(), &info) != 0 || info.st_nlink > 0;
}

/// Calls visit(path) for each temporary file of `path` that no process holds, while it is locked.
template <class Visit>
void for_each_unfinished(const std::string& path, const Visit& visit) {
    const std::string stem = temporary_stem(path);
    std::vector<std::string> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder_of(path), error), end; !error && entry != end; entry.increment(error))
        if (entry->path().filename().string().rfind(stem, 0) == 0) found.push_back(entry->path().string());
    for (const std::string& name : found) {
        const Descriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
        struct stat info {};
        const bool regular = file.is_open() && ::fstat(file.number(), &info) == 0 && S_ISREG(info.st_mode);
        if (regular && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0) visit(name);
    }
}

[[noreturn]] void fail_to_create(const std::string& path, int error) {
    if (error == EACCES || error == EPERM || error == EROFS)
        throw UserError(one_line(path + ": no permission to write in the folder " + in_quotes(folder_of(path))));
    if (error == ENAMETOOLONG) throw UserError(one_line(path + ": the name is too long"));
    fail_with_errno(path, "cannot be created", error);
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
    check_target(path);
    remove_unfinished(path);
    do {
        temporary_ = temporary_name(path);
        file_ = Descriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (!file_.is_open() && errno != EEXIST) fail_to_create(path, errno);
    } while (!file_.is_open() || !hold(file_));
}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty() && file_.is_open()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    write_all(file_, bytes, path_);
}

void AtomicFile::write(std::string_view text) {
    write(std::as_bytes(std::span(text.data(), text.size())));
}

void AtomicFile::commit() {
    if (::fsync(file_.number()) != 0) fail_with_errno(path_, "cannot be written", errno);
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail_with_errno(path_, "cannot be replaced", errno);
    temporary_.clear();
    if (!file_.close()) fail_with_errno(path_, "cannot be written", errno);
    sync_directory(folder_of(path_));
}

std::vector<std::string> unfinished_files(const std::string& path) {
    std::vector<std::string> names;
    for_each_unfinished(path, [&](const std::string& name) { names.push_back(name); });
    return names;
}

void remove_unfinished(const std::string& path) {
    for_each_unfinished(path, [](const std::string& name) { ::unlink(name.c_str()); });
}

void write_file(const std::string& path, std::string_view text) {
    AtomicFile file(path);
    file.write(text);
    file.commit();
}

std::string read_text_file(const std::string& path, std::uint64_t max_bytes) {
    const Descriptor file = open_regular_file(path);
    const std::uint64_t size = file_size(file, path);
    if (size > max_bytes)
        throw UserError(one_line(path + ": has " + std::to_string(size) + " bytes, more than the " +
                                 std::to_string(max_bytes) + " allowed"));
    std::string text(size, '\0');
    text.resize(read_at(file, 0, std::as_writable_bytes(std::span(text)), path));
    return text;
}

void make_folders(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) fail_to_make_folder(path, error.value());
}

void fail_to_make_folder(const std::string& path, int error) {
    constexpr int of_the_path[] = {EACCES, EPERM, EROFS, ENOTDIR, EEXIST, ENOENT, ENAMETOOLONG, ELOOP, EINVAL, EILSEQ};
    const std::string what = "the folder cannot be made";
    if (std::find(std::begin(of_the_path), std::end(of_the_path), error) == std::end(of_the_path))
        fail_with_errno(path, what, error);
    throw UserError(one_line(path + ": " + what + ": " + std::generic_category().message(error)));
}

void sync_directory(const std::string& path) {
    const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) fail_with_errno(path, "cannot be opened", errno);
    // Some file systems cannot sync a directory and say EINVAL; there is nothing better to do on them.
    if (::fsync(folder.number()) != 0 && errno != EINVAL) fail_with_errno(path, "cannot be made durable", errno);
}

}  // namespace whorl
