// Mamba-3 between its projections: state_space.cuh with every idea switched as the config says.
#include "gpu/state_space/state_space.cuh"

namespace whorl::gpu {
namespace {

StateSpaceShape shape_of(const CudaBackend& backend, const Mamba3Config& c, const Tensor& y, double epsilon,
                         FormChoice form) {
    StateSpaceShape s;
    s.replicas = y.replicas();
    s.batch = y.shape[1];
    s.sequences = SequenceRows(y);
    s.length = static_cast<int>(y.shape[2]);
    s.heads = static_cast<int>(y.features() / c.headdim);
    s.headdim = static_cast<int>(c.headdim);
    s.state = static_cast<int>(c.d_state);
    s.rank = static_cast<int>(c.rank());
    s.groups = static_cast<int>(c.ngroups);
    s.angle_columns = static_cast<int>(c.angles());
    s.angles = c.rotation == Rotation::none ? 0 : s.angle_columns;
    s.mimo = c.mimo;
    s.neighbours = c.pairing() == RotaryPairing::neighbours;
    s.own_rate = c.a_source == ASource::per_head;
    s.heavy_tail = c.a_activation == AActivation::heavy_tail;
    s.learned_weight = c.discretization == Discretization::trapezoidal;
    s.fixed_weight = c.discretization == Discretization::euler ? 1 : 0.5;
    s.carries_input = true;
    s.rotation = c.rotation;
    s.gate = {true, c.outproj_norm};
    s.a_floor = c.a_floor;
    s.epsilon = epsilon;
    s.chunk = choose_chunk(backend.shared_limit(), y.dtype, s, form);
    return s;
}

}  // namespace

FormChoice CudaBackend::chosen_form(const Mamba3Config& config, const Tensor& y, FormChoice form) const {
    const int chunk = shape_of(*this, config, y, 0, form).chunk;
    return {chunk > 1 ? Form::chunked : Form::recurrent, chunk};
}

OpMemory CudaBackend::mamba3_memory(const Mamba3Config& config, const Tensor& y, FormChoice form) {
    return state_space_memory(*this, y.dtype, shape_of(*this, config, y, 0, form));
}

void CudaBackend::mamba3_forward(const Mamba3Config& config, const Mamba3Tensors& in, const Tensor& y,
                                 const Tensor& state, std::int64_t position, const Tensor& saved, const Tensor& scratch,
                                 FormChoice form) {
    state_space_forward(*this, shape_of(*this, config, y, in.epsilon, form), in, y, state, position, saved, scratch);
}

void CudaBackend::mamba3_backward(const Mamba3Config& config, const Mamba3Tensors& in, const Tensor& d_y,
                                  const Mamba3Tensors& gradient, const Tensor& saved, const Tensor& scratch,
                                  FormChoice form) {
    state_space_backward(*this, shape_of(*this, config, d_y, in.epsilon, form), in, d_y, gradient, saved, scratch);
}

}  // namespace whorl::gpu
