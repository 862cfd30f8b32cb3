#include "app/cli/view_program.hpp"

#include <spawn.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "core/base/error.hpp"

namespace whorl::cli {

std::string view_program(const std::string& what) {
    std::error_code error;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::string program = (own.parent_path() / "whorl-view").string();
    if (error || !std::filesystem::exists(program, error))
        throw UserError(what +
                        ": the explorer, whorl-view, is not beside this program; './whorl view' in Whorl's folder "
                        "builds and opens it");
    return program;
}

void start_beside(const std::string& program, const std::vector<std::string>& arguments) {
    std::vector<char*> words = {const_cast<char*>(program.c_str())};
    for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    posix_spawnattr_t own_group;
    ::posix_spawnattr_init(&own_group);
    ::posix_spawnattr_setflags(&own_group, POSIX_SPAWN_SETPGROUP);
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, program.c_str(), nullptr, &own_group, words.data(), ::environ);
    ::posix_spawnattr_destroy(&own_group);
    if (failed != 0) throw RuntimeFailure("could not start " + program + ": " + std::strerror(failed));
}

}  // namespace whorl::cli
