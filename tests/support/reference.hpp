// Plain loops in double, written from the equations and sharing nothing with the backends: what y must be, for one
// replica.
#pragma once

#include "core/config/model_config.hpp"
#include "tests/support/operation.hpp"

namespace whorl::test {

/// Known faults of public code, to show that the tests would see them.
struct Mamba3Fault {
    bool previous_term_undecayed = false;  // β = (1-λ)Δ without e^{ΔA}
    bool clamp_before_minus = false;       // A = max(-f, floor), which is positive
    bool coarse_angles = false;            // cumulative angles rounded to bf16
};

/// The complex system itself: h_t = α R_t h_{t-1} + β R_t B_{t-1} x_{t-1} + γ B_t x_t with R_t = Rot(-Δ_t θ_t), no
/// cumulative angle and no rotated B or C. (With coarse_angles, the co-rotating form, which alone has such an angle.)
std::vector<double> mamba3_reference(const Operation& operation, const Values& values, const Mamba3Config& config,
                                     const Mamba3Fault& fault = {});
std::vector<double> mamba2_reference(const Operation& operation, const Values& values, const Mamba2Config& config);
/// With the transition matrix e^g (I - β k kᵀ) written out.
std::vector<double> gated_delta_reference(const Operation& operation, const Values& values,
                                          const GatedDeltaNetConfig& config);
std::vector<double> attention_reference(const Operation& operation, const Values& values,
                                        const AttentionConfig& config);

/// w ⊙ x / sqrt(mean(x²) + ε) in place.
void rms_norm_reference(double* x, const double* weight, std::int64_t count, double epsilon);
double silu_reference(double x);
double softplus_reference(double x);
double sigmoid_reference(double x);

using Matrix = std::vector<std::vector<double>>;
/// Zeros.
Matrix matrix(std::int64_t rows, std::int64_t columns);

/// An input's numbers as [d1, d2, d3]; all ones when the operation lacks it.
class NumberView {
public:
    NumberView(const Operation& operation, const Values& values, const std::string& name);
    double operator()(std::int64_t i, std::int64_t j, std::int64_t k) const {
        return data_ ? data_[(i * shape_[2] + j) * shape_[3] + k] : 1.0;
    }
    double operator()(std::int64_t k) const { return (*this)(0, 0, k); }
    explicit operator bool() const { return data_ != nullptr; }

private:
    const double* data_ = nullptr;
    Shape shape_{1, 1, 1, 1};
};

}  // namespace whorl::test
