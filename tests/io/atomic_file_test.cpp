#include "core/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace whorl;

namespace {

// Makes writes beyond `bytes` fail, as they do on a full disk.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit limit = before_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    rlimit before_{};
    void (*handler_)(int);
};

}  // namespace

TEST_CASE("a file appears whole at commit", "[io]") {
    const TemporaryFolder folder;
    AtomicFile file(folder / "f");
    file.write("one ");
    file.write("two");
    CHECK_FALSE(std::filesystem::exists(folder / "f"));
    file.commit();
    CHECK(slurp(folder / "f") == "one two");
    CHECK(folder.entries() == 1);
}

TEST_CASE("without commit the old file stands and nothing is left", "[io]") {
    const TemporaryFolder folder;
    write_file(folder / "f", "old");
    { AtomicFile(folder / "f").write("new"); }
    CHECK(slurp(folder / "f") == "old");
    CHECK(folder.entries() == 1);
    write_file(folder / "f", "newer");
    CHECK(slurp(folder / "f") == "newer");
}

TEST_CASE("two writers of one file do not disturb each other", "[io]") {
    const TemporaryFolder folder;
    AtomicFile a(folder / "f"), b(folder / "f");
    a.write("a");
    b.write("b");
    a.commit();
    b.commit();
    CHECK(slurp(folder / "f") == "b");
    CHECK(folder.entries() == 1);
}

TEST_CASE("what a killed writer left goes with the next write of the same file", "[io]") {
    const TemporaryFolder folder;
    const std::string path = folder / "f", held = folder / ".f.tmp-1-0";
    spill(held, "half");
    spill(folder / ".f.tmp-2-7", "half");
    spill(folder / ".g.tmp-1-0", "another file's");
    std::filesystem::create_symlink("nowhere", folder / ".f.tmp-3-0");
    CHECK(unfinished_files(path).size() == 2);
    {
        const Descriptor writer(::open(held.c_str(), O_WRONLY));
        REQUIRE(::flock(writer.number(), LOCK_EX) == 0);
        write_file(path, "new");
        CHECK(slurp(held) == "half");  // of a writer that lives
        CHECK_FALSE(std::filesystem::exists(folder / ".f.tmp-2-7"));
    }
    remove_unfinished(path);
    CHECK(slurp(path) == "new");
    CHECK(folder.entries() == 3);  // f, the other file's, and the link, which is no leftover
    CHECK(unfinished_files(folder / "none/f").empty());
}

TEST_CASE("a full disk is a failure of the machine and leaves the old file", "[io]") {
    const TemporaryFolder folder;
    write_file(folder / "f", "old");
    {
        const FileSizeLimit limit(4096);
        CHECK_THROWS_AS(write_file(folder / "f", std::string(100000, 'x')), RuntimeFailure);
    }
    CHECK(slurp(folder / "f") == "old");
    CHECK(folder.entries() == 1);
    CHECK(message_of<RuntimeFailure>([] { fail_with_errno("f", "cannot be written", ENOSPC); }) ==
          "f: cannot be written: disk full");
}

TEST_CASE("paths that cannot be written are the user's to mend", "[io]") {
    const TemporaryFolder folder;
    const auto error = [](const std::string& path) { return message_of<UserError>([&] { AtomicFile file(path); }); };
    CHECK(error(folder / "none/f") == (folder / "none/f") + ": the folder '" + (folder / "none") + "' does not exist");
    CHECK(error(folder.path()) == folder.path() + ": exists and is not a regular file");
    CHECK(error("/dev/null") == "/dev/null: exists and is not a regular file");
    CHECK(error("") == ": names no file to write");
    CHECK(error(folder / "") == (folder / "") + ": names no file to write");
    CHECK_THAT(error(folder / std::string(300, 'n')), Catch::Matchers::ContainsSubstring("the name is too long"));
    CHECK(folder.entries() == 0);
}

TEST_CASE("a folder without permission is named", "[io]") {
    if (::geteuid() == 0) SKIP("the superuser may write anywhere");
    const TemporaryFolder folder;
    ::chmod(folder.path().c_str(), 0500);
    CHECK_THAT(message_of<UserError>([&] { AtomicFile file(folder / "f"); }),
               Catch::Matchers::ContainsSubstring("no permission to write"));
    ::chmod(folder.path().c_str(), 0700);
}

TEST_CASE("a relative path writes in the current folder", "[io]") {
    const TemporaryFolder folder;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    write_file("f", "here");
    std::filesystem::current_path(before);
    CHECK(slurp(folder / "f") == "here");
}

TEST_CASE("text files are read whole or refused", "[io]") {
    const TemporaryFolder folder;
    spill(folder / "f", std::string("a\0b\n", 4));
    CHECK(read_text_file(folder / "f", 4) == std::string("a\0b\n", 4));
    CHECK(message_of<UserError>([&] { read_text_file(folder / "f", 3); }) ==
          (folder / "f") + ": has 4 bytes, more than the 3 allowed");
    CHECK(message_of<UserError>([&] { read_text_file(folder / "g", 3); }) == (folder / "g") + ": no such file");
    CHECK(message_of<UserError>([&] { read_text_file(folder / "f/g", 3); }) == (folder / "f/g") + ": no such file");
}

TEST_CASE("only regular files are opened", "[io]") {
    const TemporaryFolder folder;
    const auto check = [](const std::string& path, const std::string& what) {
        INFO(path);
        CHECK(message_of<UserError>([&] { open_regular_file(path); }) == path + what);
        CHECK(message_of<UserError>([&] { open_regular_file_to_write(path); }) == path + what);
    };
    ::mkfifo((folder / "pipe").c_str(), 0600);
    check(folder / "pipe", ": is not a regular file");
    {
        // With somebody at the other end, too.
        const Descriptor reader(::open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        check(folder / "pipe", ": is not a regular file");
    }
    const Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder / "socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(::bind(listener.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    check(folder / "socket", ": is not a regular file");
    std::filesystem::create_symlink("/dev/zero", folder / "device");
    check(folder / "device", ": is not a regular file");
    check(folder.path(), ": is a folder, expected a file");
    CHECK_THROWS_AS(open_regular_file_to_write(folder / "none/f", O_CREAT), RuntimeFailure);
    open_regular_file_to_write(folder / "new", O_CREAT);
    CHECK(std::filesystem::is_regular_file(folder / "new"));
}

TEST_CASE("a folder that cannot be made is the path's fault or the machine's", "[io]") {
    const TemporaryFolder folder;
    make_folders(folder / "a/b/c");
    make_folders(folder / "a/b/c");
    CHECK(std::filesystem::is_directory(folder / "a/b/c"));
    spill(folder / "file", "");
    CHECK_THAT(message_of<UserError>([&] { make_folders(folder / "file/d"); }),
               Catch::Matchers::ContainsSubstring("the folder cannot be made: Not a directory"));
    CHECK_THAT(message_of<UserError>([&] { make_folders(folder / std::string(300, 'n')); }),
               Catch::Matchers::ContainsSubstring("too long"));
    CHECK(message_of<RuntimeFailure>([] { fail_to_make_folder("d", ENOSPC); }) ==
          "d: the folder cannot be made: disk full");
    CHECK_THROWS_AS(fail_to_make_folder("d", EACCES), UserError);
}
