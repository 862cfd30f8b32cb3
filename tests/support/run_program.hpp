// The built program as a user types it.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <stdexcept>
#include <string>

#include "tests/support/paths.hpp"
#include "tests/support/temporary_folder.hpp"

struct Outcome {
    int status = -1;  // exit status; 128 + N when signal N ended it
    std::string out, err;
};

/// Runs a command of the shell.
inline Outcome run_command(const std::string& line) {
    const TemporaryFolder folder;
    const std::string errors = folder / "err", command = "(" + line + "\n) 2>" + errors;
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("popen failed");
    Outcome outcome;
    char buffer[4096];
    for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) outcome.out.append(buffer, got);
    const int status = ::pclose(pipe);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.err = slurp(errors);
    return outcome;
}

/// Runs `whorl ARGUMENTS`.
inline Outcome run_whorl(const std::string& arguments) {
    return run_command(program() + " " + arguments);
}
