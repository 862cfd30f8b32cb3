// Stands in for the CUDA Toolkit's header of this name in a build with WHORL_CUDA=EMULATED: kernels compiled by the
// ordinary compiler, run on the processor. Only what gpu/ uses is here; names and meanings are CUDA's.
#pragma once

#include "gpu/emulated/device.hpp"
#include "gpu/emulated/runtime.hpp"
