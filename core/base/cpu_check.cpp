// One clear line instead of an illegal instruction, on a processor older than the one this program is compiled for.
//
// Everything else may use AVX2 from its first instruction, static initialisers included. So this file is compiled for
// the oldest processor, runs at the first priority a program may take, and includes no C++ header: an inline function
// from one could be merged at link time with a copy compiled for the newer processor.
#include <unistd.h>

namespace {

// x86-64-v3 by its main parts (Clang does not know the level's name here); no processor has these without the rest.
bool has_x86_64_v3() {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
}

[[gnu::constructor(101)]] void check_processor() {
    if (has_x86_64_v3()) return;
    static const char message[] =
        "whorl: this processor lacks AVX2 or FMA (x86-64-v3); rebuild for it with -DWHORL_BASELINE=ON (slower)\n";
    const ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
    static_cast<void>(ignored);
    _exit(3);
}

}  // namespace
