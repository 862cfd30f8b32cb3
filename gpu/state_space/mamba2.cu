// Mamba-2 between convolution and output norm: the state-space layer without rotation, norms and gate, with A per head
// and Euler's rule (λ = 1: γ = Δ, nothing carried); y = h C + D x.
#include "gpu/state_space/state_space.cuh"

namespace whorl::gpu {
namespace {

StateSpaceShape shape_of(const CudaBackend& backend, const Mamba2Config& c, const Tensor& y, FormChoice form) {
    StateSpaceShape s;
    s.replicas = y.replicas();
    s.batch = y.shape[1];
    s.sequences = SequenceRows(y);
    s.length = static_cast<int>(y.shape[2]);
    s.heads = static_cast<int>(y.features() / c.headdim);
    s.headdim = static_cast<int>(c.headdim);
    s.state = static_cast<int>(c.d_state);
    s.groups = static_cast<int>(c.ngroups);
    s.own_rate = true;
    s.chunk = choose_chunk(backend.shared_limit(), y.dtype, s, form);
    return s;
}

Mamba3Tensors as_state_space(const Mamba2Tensors& t) {
    Mamba3Tensors all;
    all.xbc = t.xbc;
    all.ddt = t.ddt;
    all.dt_bias = t.dt_bias;
    all.d = t.d;
    all.a_log = t.a_log;
    return all;
}

}  // namespace

FormChoice CudaBackend::chosen_form(const Mamba2Config& config, const Tensor& y, FormChoice form) const {
    const int chunk = shape_of(*this, config, y, form).chunk;
    return {chunk > 1 ? Form::chunked : Form::recurrent, chunk};
}

OpMemory CudaBackend::mamba2_memory(const Mamba2Config& config, const Tensor& y, FormChoice form) {
    return state_space_memory(*this, y.dtype, shape_of(*this, config, y, form));
}

void CudaBackend::mamba2_forward(const Mamba2Config& config, const Mamba2Tensors& in, const Tensor& y,
                                 const Tensor& state, const Tensor& saved, const Tensor& scratch, FormChoice form) {
    state_space_forward(*this, shape_of(*this, config, y, form), as_state_space(in), y, state, 0, saved, scratch);
}

void CudaBackend::mamba2_backward(const Mamba2Config& config, const Mamba2Tensors& in, const Tensor& d_y,
                                  const Mamba2Tensors& gradient, const Tensor& saved, const Tensor& scratch,
                                  FormChoice form) {
    state_space_backward(*this, shape_of(*this, config, d_y, form), as_state_space(in), d_y, as_state_space(gradient),
                         saved, scratch);
}

}  // namespace whorl::gpu
