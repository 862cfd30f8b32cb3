// `whorl view`: the explorer is a program of its own beside this one, so that this one loads nothing graphical.
#include <unistd.h>

#include <cstdio>

#include "app/cli/command.hpp"
#include "app/cli/view_program.hpp"
#include "core/base/error.hpp"
#include "viz/desk/desk.hpp"

namespace whorl::cli {

int run_view(const Arguments& arguments) {
    if (!arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h"))
        return std::puts(viz::view_usage()), 0;
    const std::string program = view_program("view");
    std::vector<char*> words = {const_cast<char*>(program.c_str())};
    for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execv(program.c_str(), words.data());
    throw RuntimeFailure("view: could not start " + program);
}

}  // namespace whorl::cli
