// Backends, by what they compute on.
#pragma once

#include <memory>
#include <string>

#include "core/backend/backend.hpp"

namespace whorl {

/// `threads` = 0: as many as the machine has. Results do not depend on it.
std::unique_ptr<Backend> make_cpu_backend(int threads = 0);

/// GPU number `index` of those that the machine shows, and the calling thread attached to it. Throws UserError where
/// the build or the machine has none that it can use (gpu/no_cuda.cpp in a build without CUDA).
std::unique_ptr<Backend> make_cuda_backend(int index = 0);
/// How many GPUs the machine shows; 0 in a build without CUDA.
int cuda_device_count();
/// Why make_cuda_backend would throw, in a few words; empty when this build can use that GPU.
std::string why_no_cuda(int index = 0);

/// Whether the GPU of this build is an emulation on the processor (gpu/emulated), for tests: used only when asked for.
bool cuda_is_emulated();

}  // namespace whorl
