#include "viz/app/software.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "core/base/text.hpp"

namespace whorl::view {

std::string start_in_software(const NoOpenGl& why, char** words) {
    const std::string reason = one_line(why.what());
    if (const char* tried = std::getenv("LIBGL_ALWAYS_SOFTWARE"); tried != nullptr && *tried != '\0')
        return reason + "; nor in software (LIBGL_ALWAYS_SOFTWARE is set; Mesa's package is libgl1-mesa-dri)";
    std::fprintf(stderr, "whorl view: %s; drawing in software instead (LIBGL_ALWAYS_SOFTWARE=1), which is slower\n",
                 reason.c_str());
    std::fflush(nullptr);
    ::setenv("LIBGL_ALWAYS_SOFTWARE", "1", 1);
    ::unsetenv("LIBGL_ALWAYS_INDIRECT");               // OpenGL 1.4, drawn by the display
    ::setenv("__GLX_VENDOR_LIBRARY_NAME", "mesa", 1);  // else a chip's own library would be asked again
    ::execv("/proc/self/exe", words);
    return reason + "; starting again to draw in software failed";
}

}  // namespace whorl::view
