// `whorl COMMAND …`: finds the subcommand, runs it, and turns what it throws into one line and an exit status.
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <new>
#include <string>
#include <system_error>

#include "app/cli/command.hpp"
#include "app/run/manifest.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace {

using namespace whorl;
using namespace whorl::cli;

constexpr int kBadUsage = 2;
constexpr int kRuntimeFailure = 3;
constexpr int kClosedPipe = 128 + SIGPIPE;  // what shells report of a program that this signal ended

void print_usage() {
    std::puts("Usage: whorl COMMAND [arguments]      (whorl COMMAND --help explains one)\n");
    std::puts("Whorl trains small state-space language models on synthetic tasks and shows what their state does.\n");
    for (const Command& command : commands()) std::printf("  %-10s %s\n", command.name, command.summary);
}

int fail(const std::string& message, int status) {
    std::fprintf(stderr, "whorl: %s\n", one_line(message).c_str());
    return status;
}

// Nobody reads any more, as after `whorl … | head`.
bool output_is_closed() {
    pollfd output{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

// A closed pipe is no failure, and nobody is there to be told.
int fail_to_print() {
    return output_is_closed() ? kClosedPipe : fail("the output could not be written", kRuntimeFailure);
}

int dispatch(const Arguments& words) {
    if (words.empty()) {
        print_usage();
        return kBadUsage;
    }
    if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
        print_usage();
        return 0;
    }
    if (words[0] == "--version") {
        std::puts(version_text(build_info()).c_str());
        return 0;
    }
    std::vector<std::string> names;
    for (const Command& command : commands()) {
        if (words[0] == command.name) return command.run(Arguments(words.begin() + 1, words.end()));
        names.emplace_back(command.name);
    }
    throw UserError("unknown command " + in_quotes(words[0]) + suggestion(words[0], names));
}

}  // namespace

int main(int count, char** words) {
    // A pipe that closes must not end a training before it has saved; whoever prints learns of it from the write.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        const int status = dispatch(Arguments(words + 1, words + count));
        // What was printed counts only when it arrived: a full disk behind `> file` must not look like success.
        return std::fflush(stdout) != 0 || std::ferror(stdout) != 0 ? fail_to_print() : status;
    } catch (const UserError& error) {
        return fail(error.what(), kBadUsage);
    } catch (const RuntimeFailure& error) {
        return fail(error.what(), kRuntimeFailure);
    } catch (const std::bad_alloc&) {
        return fail("out of memory; try a smaller batch, fewer replicas or shorter sequences", kRuntimeFailure);
    } catch (const std::system_error& error) {
        if (std::ferror(stdout) != 0) return fail_to_print();
        if (std::ferror(stderr) != 0) return kClosedPipe;
        return fail(std::string("internal error: ") + error.what(), kRuntimeFailure);
    } catch (const std::exception& error) {
        return fail(std::string("internal error: ") + error.what(), kRuntimeFailure);
    }
}
