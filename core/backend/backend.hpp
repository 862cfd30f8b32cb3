// The operations a model is made of, over all replicas at once. core/cpu implements them with Eigen.
//
// Conventions, after which every operation is judged by the same tests:
// - activations may be packed (Tensor::starts) where the backend packs batches and no state or cache comes with them;
//   their other rows are left alone;
// - activations are overwritten, parameter gradients accumulate; `*_backward` never touches values;
// - x [R, B, L, F] has rows at one stride, F contiguous; parameters carry the replica axis first;
// - what a layer's operations hand to each other may be stored in bf16 where the backend says so (`stored`) and no
//   state or cache comes with it: x, y and their gradients, but not the residual stream (x, residual and sum of
//   rms_norm, y of the projections that lead there, embeddings), logits and `inverse`, which have the dtype of the
//   parameters;
// - `saved` is written by forward and read by backward, `scratch` is free for reuse after each call; the sizes of both
//   come from the operation's `*_memory` and depend on shapes only;
// - sums over batch and position are split by shape, never by thread, and added in a fixed order (determinism:
//   same_replica).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/backend/optimizer_step.hpp"
#include "core/backend/tensor.hpp"
#include "core/backend/workspace.hpp"
#include "core/config/model_config.hpp"
#include "core/config/precision.hpp"

namespace whorl {

/// Bytes an operation keeps for its backward pass, and bytes it needs only while it runs.
struct OpMemory {
    std::int64_t saved = 0;
    std::int64_t scratch = 0;
};

/// Which algorithm a recurrence uses. `automatic` follows the backend's measured rule.
enum class Form { automatic, recurrent, chunked };

struct FormChoice {
    Form form = Form::automatic;
    std::int64_t chunk = 0;  // positions a chunk; 0 = the backend's choice. chunk ≥ length is the dense form
};

/// Values, or gradients of the same shapes. Mamba-3 reads the raw projection; absent parameters are empty tensors.
struct Mamba3Tensors {
    Tensor z;                       // [R,B,L,H·P]
    Tensor xbc;                     // [R,B,L,H·P + 2·rank·G·N]: x, B (rank, group, state), C
    Tensor ddt, da;                 // [R,B,L,H]
    Tensor u;                       // [R,B,L,H]
    Tensor angle;                   // [R,B,L,S]
    Tensor dt_bias, d, a_log;       // [R,H]; a_log only with a_source = per_head
    Tensor b_bias, c_bias;          // [R,H,rank,N]
    Tensor b_norm, c_norm;          // [R,N]
    Tensor mimo_x, mimo_z, mimo_o;  // [R,H,rank,P]
    Tensor norm;                    // [R,H·P]
    double epsilon = 1e-5;          // of every RMSNorm inside
};

struct Mamba2Tensors {
    Tensor xbc;                // [R,B,L,H·P + 2·G·N], after convolution and silu
    Tensor ddt;                // [R,B,L,H]
    Tensor dt_bias, d, a_log;  // [R,H]
};

struct GatedDeltaTensors {
    Tensor q, k;            // [R,B,L,H·K], after convolution and silu
    Tensor v;               // [R,B,L,Hv·V]
    Tensor a, b;            // [R,B,L,Hv]
    Tensor dt_bias, a_log;  // [R,Hv]
};

/// RMSNorm and gate of each group of `group` features: y = norm(x)·w ⊙ silu(z) (norm_first) or norm(x ⊙ silu(z))·w.
struct GatedNormShape {
    std::int64_t group = 0;
    bool norm_first = false;
    bool shared_weight = false;  // weight [group] for all groups, else [features]
    double epsilon = 1e-5;
};

/// Rows that carry a loss: row_of[r][m] = b·L + t, or -1 for an unused slot; no row twice.
struct Supervision {
    Tensor row_of;               // i32 [R,1,1,M]
    Tensor target;               // i32 [R,1,1,M]
    double label_smoothing = 0;  // ε: the target's distribution is (1-ε) one-hot + ε/V
};

/// Some rows of activations [R,B,L,F], each at most once: slot m is row row_of[r][m] = b·L + t (starts[r][b] + t where
/// they are packed), or none for -1.
struct RowChoice {
    Tensor row_of;   // i32 [R,1,1,M]
    Tensor slot_of;  // i32 [R,1,1,B·L]: forward leaves here what backward wants
};

/// A batch without what stands behind each sequence's last supervised position, which no loss depends on.
struct PackedBatch {
    Tensor starts;  // i32, contiguous [R][B + 1]: Tensor::starts of its activations
    Tensor tokens;  // i32 [R,1,1,B·L]: of sequence after sequence
    Tensor row_of;  // i32 [R,1,1,M]: Supervision::row_of in packed rows
};

/// Operations asked for once and run any number of times: see Backend::record.
class Recording {
public:
    virtual ~Recording() = default;
    virtual void run() = 0;
    /// What one run hands to the device: kernels and memory operations; 0 where there is no such thing.
    virtual std::int64_t nodes() const { return 0; }
};

class Backend {
public:
    virtual ~Backend() = default;
    virtual Device device() const = 0;
    virtual std::string describe() const = 0;
    /// Makes the calling thread one that asks this backend for work. To be called where several backends are used,
    /// by each thread that turns to one of them; several threads must not use one backend at the same time.
    virtual void attach() {}
    /// How many of its operations could run side by side, each on a processor of its own.
    virtual int processors() const { return 1; }
    /// From now on float operations multiply matrices so, and models made keep their activations so. Throws UserError
    /// where the device cannot.
    virtual void set_precision(const Precision& precision) = 0;
    /// What a model of `dtype` that is made now keeps its layers' activations in.
    virtual DType stored(DType dtype) const { return dtype; }
    /// Bytes that can still be allocated on the device.
    virtual std::int64_t free_memory() const = 0;

    /// Zeroed, 64-byte aligned memory. Throws RuntimeFailure naming the size when there is not enough.
    virtual Buffer allocate(std::int64_t bytes) = 0;
    virtual void upload(const Tensor& to, const void* from, std::int64_t bytes) = 0;
    virtual void download(void* to, const Tensor& from, std::int64_t bytes) = 0;
    virtual void zero(const Tensor& first, std::int64_t bytes) = 0;
    /// Training steps that are worth asking for before looking at the results of the first of them.
    virtual std::int64_t steps_ahead() const { return 1; }
    /// Returns when everything asked for so far is done: a GPU works behind the caller's back.
    virtual void synchronize() {}
    /// Keeps the operations that `work` asks for (and runs none), to be run again and again: on a GPU as one graph.
    /// `work` must not allocate, upload or download, and its scalar arguments are those of the recording.
    virtual std::unique_ptr<Recording> record(std::function<void()> work);
    /// Whether pack_batch and packed activations are there.
    virtual bool packs_batches() const { return false; }
    /// From tokens [R,B,1,L] and row_of [R,1,1,M], whose slots are shared out evenly among the sequences and used in
    /// order. Embedding takes packed tokens with packed activations.
    virtual void pack_batch(const Tensor& tokens, const Tensor& row_of, const PackedBatch& packed);
    /// y += x, elementwise over activations.
    virtual void add(const Tensor& x, const Tensor& y) = 0;

    /// out[r,b,t,:] = weight[r, tokens[r,b,t], :]; a token outside 0..V-1 is the caller's error and reads row 0.
    virtual void embed_forward(const Tensor& tokens, const Tensor& weight, const Tensor& out) = 0;
    virtual OpMemory embed_memory(const Tensor& tokens, const Tensor& weight) = 0;
    virtual void embed_backward(const Tensor& tokens, const Tensor& d_out, const Tensor& d_weight,
                                const Tensor& scratch) = 0;

    /// y = x Wᵀ, W [R,out,in]. backward: d_x = d_y W (skipped when empty), d_W += d_yᵀ x.
    virtual OpMemory linear_memory(const Tensor& x, const Tensor& weight) = 0;
    virtual void linear_forward(const Tensor& x, const Tensor& weight, const Tensor& y) = 0;
    virtual void linear_backward(const Tensor& x, const Tensor& weight, const Tensor& d_y, const Tensor& d_x,
                                 const Tensor& d_weight, const Tensor& scratch) = 0;

    /// sum = x + residual (residual may be empty, then sum = x and is not written); y = w ⊙ sum / sqrt(mean(sum²) + ε).
    /// inverse [R,B,L,1] keeps 1/sqrt(…). backward: d_sum += through the norm (d_sum holds the residual stream's
    /// gradient).
    virtual OpMemory rms_norm_memory(const Tensor& x) = 0;
    virtual void rms_norm_forward(const Tensor& x, const Tensor& residual, const Tensor& sum, const Tensor& weight,
                                  const Tensor& y, const Tensor& inverse, double epsilon) = 0;
    virtual void rms_norm_backward(const Tensor& sum, const Tensor& weight, const Tensor& inverse, const Tensor& d_y,
                                   const Tensor& d_sum, const Tensor& d_weight, const Tensor& scratch) = 0;

    /// The same for chosen rows of x and residual [R,B,L,F] (residual may be empty): sum (always written), y [R,1,M,F]
    /// and inverse [R,1,M,1] have a row for each slot, zeros (of sum and y) where it has none. backward overwrites d_x
    /// [R,B,L,F], the gradient of x and of residual: zero where no row was chosen.
    virtual OpMemory chosen_rms_norm_memory(const Tensor& x, const Tensor& row_of) = 0;
    virtual void chosen_rms_norm_forward(const Tensor& x, const Tensor& residual, const RowChoice& rows,
                                         const Tensor& sum, const Tensor& weight, const Tensor& y,
                                         const Tensor& inverse, double epsilon) = 0;
    virtual void chosen_rms_norm_backward(const Tensor& sum, const Tensor& weight, const Tensor& inverse,
                                          const RowChoice& rows, const Tensor& d_y, const Tensor& d_x,
                                          const Tensor& d_weight, const Tensor& scratch) = 0;

    virtual OpMemory gated_rms_norm_memory(const Tensor& x, const GatedNormShape& shape) = 0;
    virtual void gated_rms_norm_forward(const GatedNormShape& shape, const Tensor& x, const Tensor& z,
                                        const Tensor& weight, const Tensor& y) = 0;
    virtual void gated_rms_norm_backward(const GatedNormShape& shape, const Tensor& x, const Tensor& z,
                                         const Tensor& weight, const Tensor& d_y, const Tensor& d_x, const Tensor& d_z,
                                         const Tensor& d_weight, const Tensor& scratch) = 0;

    /// y = silu(depthwise causal convolution of x + bias); weight [R,F,width], bias [R,F] or empty.
    /// state [R,B,width-1,F] (or empty) holds the inputs before x and is advanced.
    virtual OpMemory short_conv_memory(const Tensor& x, const Tensor& weight) = 0;
    virtual void short_conv_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& state,
                                    const Tensor& y, const Tensor& scratch) = 0;
    virtual void short_conv_backward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& d_y,
                                     const Tensor& d_x, const Tensor& d_weight, const Tensor& d_bias,
                                     const Tensor& scratch) = 0;

    /// The form and chunk length that a choice comes to for y [R,B,L,H·P]; a choice of `automatic` is the backend's
    /// rule, which `whorl bench rule` measures.
    virtual FormChoice chosen_form(const Mamba3Config& config, const Tensor& y, FormChoice form) const = 0;
    virtual FormChoice chosen_form(const Mamba2Config& config, const Tensor& y, FormChoice form) const = 0;
    virtual FormChoice chosen_form(const GatedDeltaNetConfig& config, const Tensor& y, FormChoice form) const = 0;

    /// The mixers between their projections. With a state ([R,B,1,*_state_size]) the sequence continues from it and
    /// advances it; L = 1 is a decoding step. `position` is the index of the first position (standard rotation, RoPE).
    virtual OpMemory mamba3_memory(const Mamba3Config& config, const Tensor& y, FormChoice form) = 0;
    virtual void mamba3_forward(const Mamba3Config& config, const Mamba3Tensors& in, const Tensor& y,
                                const Tensor& state, std::int64_t position, const Tensor& saved, const Tensor& scratch,
                                FormChoice form) = 0;
    virtual void mamba3_backward(const Mamba3Config& config, const Mamba3Tensors& in, const Tensor& d_y,
                                 const Mamba3Tensors& gradient, const Tensor& saved, const Tensor& scratch,
                                 FormChoice form) = 0;

    virtual OpMemory mamba2_memory(const Mamba2Config& config, const Tensor& y, FormChoice form) = 0;
    virtual void mamba2_forward(const Mamba2Config& config, const Mamba2Tensors& in, const Tensor& y,
                                const Tensor& state, const Tensor& saved, const Tensor& scratch, FormChoice form) = 0;
    virtual void mamba2_backward(const Mamba2Config& config, const Mamba2Tensors& in, const Tensor& d_y,
                                 const Mamba2Tensors& gradient, const Tensor& saved, const Tensor& scratch,
                                 FormChoice form) = 0;

    virtual OpMemory gated_delta_memory(const GatedDeltaNetConfig& config, const Tensor& y, FormChoice form) = 0;
    virtual void gated_delta_forward(const GatedDeltaNetConfig& config, const GatedDeltaTensors& in, const Tensor& y,
                                     const Tensor& state, const Tensor& saved, const Tensor& scratch,
                                     FormChoice form) = 0;
    virtual void gated_delta_backward(const GatedDeltaNetConfig& config, const GatedDeltaTensors& in, const Tensor& d_y,
                                      const GatedDeltaTensors& gradient, const Tensor& saved, const Tensor& scratch,
                                      FormChoice form) = 0;

    /// Causal softmax attention over qkv [R,B,L,3·H·K] (q, k, v), y [R,B,L,H·K]. The cache, when given, is
    /// [R,B,capacity,2·H·K]: keys (rotated) and values of all earlier positions; `position` of them are filled.
    /// attention_memory: `capacity` earlier positions at most. Backward reads y as forward left it; `saved` may
    /// be absent where none follows.
    virtual OpMemory attention_memory(const AttentionConfig& config, const Tensor& qkv, std::int64_t capacity) = 0;
    virtual void attention_forward(const AttentionConfig& config, const Tensor& qkv, const Tensor& y,
                                   const Tensor& cache, std::int64_t position, const Tensor& saved,
                                   const Tensor& scratch) = 0;
    virtual void attention_backward(const AttentionConfig& config, const Tensor& qkv, const Tensor& y,
                                    const Tensor& d_y, const Tensor& d_qkv, const Tensor& saved,
                                    const Tensor& scratch) = 0;

    /// y = silu(x), both [R,B,L,F].
    virtual void silu_forward(const Tensor& x, const Tensor& y) = 0;
    virtual void silu_backward(const Tensor& x, const Tensor& d_y, const Tensor& d_x) = 0;

    /// y,g = split(x); out = y ⊙ silu(g). x [R,B,L,2F], out [R,B,L,F].
    virtual void swiglu_forward(const Tensor& x, const Tensor& out) = 0;
    virtual void swiglu_backward(const Tensor& x, const Tensor& d_out, const Tensor& d_x) = 0;

    /// Mean over the used slots of each replica: loss [R] f64 (-Σ_j q_j log softmax(logits)_j, q the smoothed target),
    /// correct [R] f64 (argmax hits), used [R] f64 (slots). d_logits (skipped when empty) receives the gradient of the
    /// mean; it may be `logits` itself.
    virtual void cross_entropy(const Tensor& logits, const Supervision& supervision, std::int64_t vocabulary,
                               const Tensor& loss, const Tensor& correct, const Tensor& used,
                               const Tensor& d_logits) = 0;

    /// ‖gradient of replica r‖₂ over its whole slice [R,1,1,slice], and with it the replica's metrics and update of the
    /// step that it is at (`settle`).
    virtual OpMemory gradient_norm_memory(const Tensor& gradient) = 0;
    virtual void gradient_norm(const OptimizerStep& step, const Tensor& gradient, const Tensor& scratch) = 0;
    /// After gradient_norm: one AdamW step over the flat slices, each with its update. Leaves the gradient zero for the
    /// next step. mask [1,1,1,slice] holds 0 = frozen, 1 = trained, 2 = trained with decay.
    virtual void adamw(const OptimizerStep& step, const Tensor& gradient, const Tensor& mask, const Tensor& parameter,
                       const Tensor& first_moment, const Tensor& second_moment) = 0;
};

/// Values kept between decoding steps: elements a sequence, in the model's dtype.
std::int64_t mamba3_state_size(const Mamba3Config& config, std::int64_t heads);
std::int64_t mamba2_state_size(const Mamba2Config& config, std::int64_t heads);
std::int64_t gated_delta_state_size(const GatedDeltaNetConfig& config);

}  // namespace whorl
