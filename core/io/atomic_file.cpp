#include "core/io/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/io/text.hpp"

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

// Unique among the threads of this process by the counter, among processes by O_EXCL.
std::string temporary_name(const std::string& path) {
    static std::atomic<unsigned> counter{0};
    const std::string suffix = std::to_string(::getpid()) + "-" + std::to_string(counter++);
    return (fs::path(folder_of(path)) / ("." + fs::path(path).filename().string() + ".tmp-" + suffix)).string();
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
    do {
        temporary_ = temporary_name(path);
        file_ = Descriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    } while (!file_.is_open() && errno == EEXIST);
    if (!file_.is_open()) fail_to_create(path, errno);
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

void sync_directory(const std::string& path) {
    const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) fail_with_errno(path, "cannot be opened", errno);
    // Some file systems cannot sync a directory and say EINVAL; there is nothing better to do on them.
    if (::fsync(folder.number()) != 0 && errno != EINVAL) fail_with_errno(path, "cannot be made durable", errno);
}

}  // namespace whorl
