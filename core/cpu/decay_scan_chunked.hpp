// The chunked form of decay_scan.hpp: matrix products inside a chunk, one state from chunk to chunk.
#pragma once

#include "core/cpu/decay_scan.hpp"

namespace whorl::cpu {

template <class T>
void chunked_forward(const ScanShape& shape, const ScanInput<T>& in, T* y, T* saved, const ScanCarry<T>* carry,
                     ScanScratch<T>& scratch);
template <class T>
void chunked_backward(const ScanShape& shape, const ScanInput<T>& in, const T* d_y, const T* saved,
                      const ScanGradient<T>& gradient, ScanScratch<T>& scratch);

}  // namespace whorl::cpu
