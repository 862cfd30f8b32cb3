#include "viz/paint/pdf.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/paint/svg.hpp"

extern "C" char** environ;

namespace whorl::plot {
namespace {

/// A file without a name, gone with the program.
class Scratch {
public:
    Scratch() : file_(std::tmpfile(), &std::fclose) {
        if (file_ == nullptr) throw RuntimeFailure("no temporary file can be made for the PDF");
    }
    int number() const { return ::fileno(file_.get()); }

    void fill(const std::string& text) {
        const bool good = std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size();
        if (!good || std::fflush(file_.get()) != 0) throw RuntimeFailure("a temporary file for the PDF is incomplete");
        std::rewind(file_.get());
    }
    std::string content() {
        std::string text;
        std::rewind(file_.get());
        char buffer[1 << 14];
        for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, file_.get())) > 0;) text.append(buffer, got);
        return text;
    }

private:
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

/// The exit status; 127 when there is no such program.
int run(const char* const* arguments, const Scratch& in, const Scratch& out, const Scratch& errors) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in.number(), 0);
    posix_spawn_file_actions_adddup2(&files, out.number(), 1);
    posix_spawn_file_actions_adddup2(&files, errors.number(), 2);
    pid_t child = 0;
    const int error =
        ::posix_spawnp(&child, arguments[0], &files, nullptr, const_cast<char* const*>(arguments), environ);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) return 127;
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

std::string pdf_bytes(const Drawing& drawing) {
    Scratch in, out, errors;
    in.fill(svg(drawing, {true, 1}));
    const char* const arguments[] = {"rsvg-convert", "--format=pdf", nullptr};
    const int status = run(arguments, in, out, errors);
    if (status == 127)
        throw UserError(
            "PDF is made by rsvg-convert, which is not here: install the package librsvg2-bin, or write .svg");
    std::string bytes = out.content();
    if (status != 0 || bytes.empty())
        throw RuntimeFailure("rsvg-convert made no PDF: " + in_quotes(errors.content(), 200));
    return bytes;
}

}  // namespace whorl::plot
