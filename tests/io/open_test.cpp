// Where the program opens files: what reads by a path of its own making could wait for a pipe, or read a device.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_folder.hpp"

namespace fs = std::filesystem;

namespace {

bool opens_files(const std::string& text) {
    if (text.find("ifstream") != std::string::npos || text.find("fopen(") != std::string::npos) return true;
    const std::string call = "::open(";  // the system's, not a class's own
    for (std::size_t at = text.find(call); at != std::string::npos; at = text.find(call, at + 1))
        if (at == 0 || (!std::isalnum(static_cast<unsigned char>(text[at - 1])) && text[at - 1] != '_')) return true;
    return false;
}

}  // namespace

TEST_CASE("files are opened in few places and people's files in one", "[io]") {
    const std::set<std::string> allowed = {
        "descriptor.cpp",                   // regular files, and folders to lock
        "atomic_file.cpp",                  // new files, and folders
        "manifest.cpp", "free_memory.cpp",  // the system's own: /proc and /sys
    };
    std::set<std::string> found;
    for (const char* folder : {"core", "tasks", "app"})
        for (const auto& entry : fs::recursive_directory_iterator(source_file(folder))) {
            const std::string extension = entry.path().extension().string();
            if ((extension == ".cpp" || extension == ".hpp") && opens_files(slurp(entry.path().string())))
                found.insert(entry.path().filename().string());
        }
    CHECK(found == allowed);
}
