// NCCL for emulated devices: threads of this process that wait for one another and add what all of them bring.
#pragma once

#include "gpu/nccl.hpp"

namespace whorl::emulated {

gpu::Nccl nccl();

}  // namespace whorl::emulated
