// The operations on the CPU. Each is a file of this folder; see core/backend/backend.hpp for what they compute.
#pragma once

#include "core/backend/backend.hpp"
#include "core/cpu/free_memory.hpp"

namespace whorl::cpu {

class CpuBackend final : public Backend {
public:
    explicit CpuBackend(int threads);

    Device device() const override { return Device::cpu; }
    std::string describe() const override;
    int processors() const override { return threads_; }
    void set_precision(const Precision& precision) override;
    std::int64_t free_memory() const override { return cpu::free_memory(); }

    Buffer allocate(std::int64_t bytes) override;
    void upload(const Tensor& to, const void* from, std::int64_t bytes) override;
    void download(void* to, const Tensor& from, std::int64_t bytes) override;
    void zero(const Tensor& first, std::int64_t bytes) override;
    void add(const Tensor& x, const Tensor& y) override;

    void embed_forward(const Tensor& tokens, const Tensor& weight, const Tensor& out) override;
    OpMemory embed_memory(const Tensor& tokens, const Tensor& weight) override;
    void embed_backward(const Tensor& tokens, const Tensor& d_out, const Tensor& d_weight,
                        const Tensor& scratch) override;

    OpMemory linear_memory(const Tensor& x, const Tensor& weight) override;
    void linear_forward(const Tensor& x, const Tensor& weight, const Tensor& y) override;
    void linear_backward(const Tensor& x, const Tensor& weight, const Tensor& d_y, const Tensor& d_x,
                         const Tensor& d_weight, const Tensor& scratch) override;

    OpMemory rms_norm_memory(const Tensor& x) override;
    void rms_norm_forward(const Tensor& x, const Tensor& residual, const Tensor& sum, const Tensor& weight,
                          const Tensor& y, const Tensor& inverse, double epsilon) override;
    void rms_norm_backward(const Tensor& sum, const Tensor& weight, const Tensor& inverse, const Tensor& d_y,
                           const Tensor& d_sum, const Tensor& d_weight, const Tensor& scratch) override;
    OpMemory chosen_rms_norm_memory(const Tensor& x, const Tensor& row_of) override;
    void chosen_rms_norm_forward(const Tensor& x, const Tensor& residual, const RowChoice& rows, const Tensor& sum,
                                 const Tensor& weight, const Tensor& y, const Tensor& inverse, double epsilon) override;
    void chosen_rms_norm_backward(const Tensor& sum, const Tensor& weight, const Tensor& inverse, const RowChoice& rows,
                                  const Tensor& d_y, const Tensor& d_x, const Tensor& d_weight,
                                  const Tensor& scratch) override;

    OpMemory gated_rms_norm_memory(const Tensor& x, const GatedNormShape& shape) override;
    void gated_rms_norm_forward(const GatedNormShape& shape, const Tensor& x, const Tensor& z, const Tensor& weight,
                                const Tensor& y) override;
    void gated_rms_norm_backward(const GatedNormShape& shape, const Tensor& x, const Tensor& z, const Tensor& weight,
                                 const Tensor& d_y, const Tensor& d_x, const Tensor& d_z, const Tensor& d_weight,
                                 const Tensor& scratch) override;

    OpMemory short_conv_memory(const Tensor& x, const Tensor& weight) override;
    void short_conv_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& state,
                            const Tensor& y, const Tensor& scratch) override;
    void short_conv_backward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& d_y,
                             const Tensor& d_x, const Tensor& d_weight, const Tensor& d_bias,
                             const Tensor& scratch) override;

    FormChoice chosen_form(const Mamba3Config& config, const Tensor& y, FormChoice form) const override;
    FormChoice chosen_form(const Mamba2Config& config, const Tensor& y, FormChoice form) const override;
    FormChoice chosen_form(const GatedDeltaNetConfig& config, const Tensor& y, FormChoice form) const override;

    OpMemory mamba3_memory(const Mamba3Config& config, const Tensor& y, FormChoice form) override;
    void mamba3_forward(const Mamba3Config& config, const Mamba3Tensors& in, const Tensor& y, const Tensor& state,
                        std::int64_t position, const Tensor& saved, const Tensor& scratch, FormChoice form) override;
    void mamba3_backward(const Mamba3Config& config, const Mamba3Tensors& in, const Tensor& d_y,
                         const Mamba3Tensors& gradient, const Tensor& saved, const Tensor& scratch,
                         FormChoice form) override;

    OpMemory mamba2_memory(const Mamba2Config& config, const Tensor& y, FormChoice form) override;
    void mamba2_forward(const Mamba2Config& config, const Mamba2Tensors& in, const Tensor& y, const Tensor& state,
                        const Tensor& saved, const Tensor& scratch, FormChoice form) override;
    void mamba2_backward(const Mamba2Config& config, const Mamba2Tensors& in, const Tensor& d_y,
                         const Mamba2Tensors& gradient, const Tensor& saved, const Tensor& scratch,
                         FormChoice form) override;

    OpMemory gated_delta_memory(const GatedDeltaNetConfig& config, const Tensor& y, FormChoice form) override;
    void gated_delta_forward(const GatedDeltaNetConfig& config, const GatedDeltaTensors& in, const Tensor& y,
                             const Tensor& state, const Tensor& saved, const Tensor& scratch, FormChoice form) override;
    void gated_delta_backward(const GatedDeltaNetConfig& config, const GatedDeltaTensors& in, const Tensor& d_y,
                              const GatedDeltaTensors& gradient, const Tensor& saved, const Tensor& scratch,
                              FormChoice form) override;

    OpMemory attention_memory(const AttentionConfig& config, const Tensor& qkv, std::int64_t capacity) override;
    void attention_forward(const AttentionConfig& config, const Tensor& qkv, const Tensor& y, const Tensor& cache,
                           std::int64_t position, const Tensor& saved, const Tensor& scratch) override;
    void attention_backward(const AttentionConfig& config, const Tensor& qkv, const Tensor& y, const Tensor& d_y,
                            const Tensor& d_qkv, const Tensor& saved, const Tensor& scratch) override;

    void silu_forward(const Tensor& x, const Tensor& y) override;
    void silu_backward(const Tensor& x, const Tensor& d_y, const Tensor& d_x) override;

    void swiglu_forward(const Tensor& x, const Tensor& out) override;
    void swiglu_backward(const Tensor& x, const Tensor& d_out, const Tensor& d_x) override;

    void cross_entropy(const Tensor& logits, const Supervision& supervision, std::int64_t vocabulary,
                       const Tensor& loss, const Tensor& correct, const Tensor& used, const Tensor& d_logits) override;

    OpMemory gradient_norm_memory(const Tensor& gradient) override;
    void gradient_norm(const OptimizerStep& step, const Tensor& gradient, const Tensor& scratch) override;
    void adamw(const OptimizerStep& step, const Tensor& gradient, const Tensor& mask, const Tensor& parameter,
               const Tensor& first_moment, const Tensor& second_moment) override;

private:
    int threads_;
};

/// Calls body(T{}) with the scalar type of `dtype`; the CPU computes in float and double.
template <class Body>
void dispatch(DType dtype, const Body& body) {
    if (dtype == DType::f64)
        body(double{});
    else
        body(float{});
}

}  // namespace whorl::cpu
