// The chunked form of delta_scan.hpp.
#pragma once

#include "core/cpu/delta_scan.hpp"

namespace whorl::cpu {

template <class T>
void chunked_delta_forward(const DeltaShape& shape, const DeltaInput<T>& in, T* o, T* saved, T* carry,
                           DeltaScratch<T>& scratch);
template <class T>
void chunked_delta_backward(const DeltaShape& shape, const DeltaInput<T>& in, const T* d_o, const T* saved,
                            const DeltaGradient<T>& gradient, DeltaScratch<T>& scratch);

}  // namespace whorl::cpu
