#include <cstdlib>

#include "gpu/runtime/nccl.hpp"

#if !defined(WHORL_EMULATED_GPU)
#include <dlfcn.h>
#endif

namespace whorl::gpu {

#if !defined(WHORL_EMULATED_GPU)
namespace {

/// Copies of NCCL that no longer work together with how this program uses it are found by their version.
std::string version_fault(const Nccl& library, const std::string& name) {
    int version = 0;
    if (library.get_version(&version) == kNcclSuccess && version >= kOldestNccl) return "";
    return name + " is version " + std::to_string(version) + " of NCCL, 2.11 or newer is needed";
}

}  // namespace

Nccl open_nccl() {
    const char* named = std::getenv("WHORL_NCCL");
    const std::string name = named && *named ? named : "libnccl.so.2";
    Nccl library;
    void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* why = dlerror();
        library.missing =
            "NCCL cannot be loaded (" + std::string(why ? why : name) +
            "); install libnccl2, or pip install nvidia-nccl-cu13 and name its libnccl.so.2 in WHORL_NCCL";
        return library;
    }
    const auto find = [&](auto& function, const char* symbol) {
        function = reinterpret_cast<std::decay_t<decltype(function)> >(dlsym(handle, symbol));
        if (!function && library.missing.empty()) library.missing = name + " has no " + symbol;
    };
    find(library.get_version, "ncclGetVersion");
    find(library.comm_init_all, "ncclCommInitAll");
    find(library.comm_destroy, "ncclCommDestroy");
    find(library.comm_abort, "ncclCommAbort");
    find(library.all_reduce, "ncclAllReduce");
    find(library.group_start, "ncclGroupStart");
    find(library.group_end, "ncclGroupEnd");
    find(library.error_string, "ncclGetErrorString");
    if (library.missing.empty()) library.missing = version_fault(library, name);
    return library;
}
#endif

const Nccl& nccl() {
    static const Nccl library = open_nccl();
    return library;
}

}  // namespace whorl::gpu
