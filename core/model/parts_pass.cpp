// A batch in parts of a few sequences: one task takes a part through the whole model, forward and back, so that its
// activations stay in the processor's second-level cache and processors meet once a step instead of once an operation.
// Each part has its own gradient; they are added in order. Parts follow the shape, never the threads.
#include <algorithm>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"
#include "core/cpu/vector_math.hpp"
#include "core/model/training_pass.hpp"

namespace whorl {
namespace cpu {
namespace {

constexpr std::int64_t kPositions =
    160;  // of a part: 160 beats 320 by 1 to 5 % (D 32, one layer; 2 MiB second-level cache)
constexpr std::int64_t kMostParts = 64;
constexpr std::int64_t kGradientElements = 1 << 21;  // of all partial gradients of a replica

Tensor replica_of(const Tensor& all, std::int64_t r) {
    Tensor one = all;
    one.data += r * all.stride[0] * static_cast<std::int64_t>(size_of(all.dtype));
    one.shape[0] = 1;
    return one;
}

class PartsPass final : public TrainingPass {
public:
    PartsPass(const ModelConfig& config, int threads, DType dtype, FormChoice form)
        : threads_(threads), dtype_(dtype), backend_(1) {
        for (int i = 0; i < threads; ++i)
            lanes_.push_back(std::make_unique<LanguageModel>(config, backend_, dtype, form));
    }

    std::int64_t bytes(const ModelShape& shape) const override {
        const LanguageModel& lane = *lanes_.front();
        PartsPass measured(lane.config(), 1, dtype_, lane.form());
        measured.threads_ = threads_;
        measured.divide(shape);
        Arena measure;
        measured.plan(measure);
        return measure.peak() + measured.lanes_for(measured.together()) * lane.arena_bytes(measured.lane_shape());
    }
    std::int64_t bytes_beside(const ModelShape& shape) const override { return bytes(shape); }
    std::int64_t memory_size() const override {
        std::int64_t bytes = memory_.size();
        for (const auto& lane : lanes_) bytes += lane->arena_size();
        return bytes;
    }

    void bind(const ModelShape& shape) override {
        if (bound_ && shape == shape_) return;
        divide(shape);
        bound_ = true;
        for (std::int64_t i = 0; i < lanes_for(together()); ++i)
            lanes_[static_cast<std::size_t>(i)]->bind(lane_shape());
        Arena measure;
        plan(measure);
        if (measure.peak() > memory_.size()) memory_ = backend_.allocate(measure.peak());
        Arena arena(memory_.data(), Device::cpu);
        plan(arena);
    }

    /// As many replicas at a time as there are partial gradients for.
    void gradient(const Tensor& parameters, const Tensor& gradient, double label_smoothing) override {
        for (std::int64_t first = 0; first < shape_.replicas; first += together()) {
            const std::int64_t replicas = std::min(together(), shape_.replicas - first);
            parallel_for(lanes_for(replicas), replicas * parts_.count, [&](std::int64_t task, int thread) {
                LanguageModel& lane = *lanes_[static_cast<std::size_t>(thread)];
                const std::int64_t r = first + task / parts_.count;
                run_part(lane, r, task % parts_.count, replica_of(parameters, r), replica_of(partial_, task),
                         label_smoothing);
            });
            for (std::int64_t r = first; r < first + replicas; ++r) add_losses(r);
            add_partials(gradient, first, replicas);
        }
    }

private:
    void divide(const ModelShape& shape) {
        shape_ = shape;
        const std::int64_t sequences = std::clamp<std::int64_t>(kPositions / shape.length, 1, shape.batch);
        const std::int64_t room = std::clamp<std::int64_t>(kGradientElements / slice(), 1, kMostParts);
        parts_ = Blocks(shape.batch, 1, Blocks(shape.batch, sequences, room).count);
        slots_ = shape.slots / shape.batch;
    }
    ModelShape lane_shape() const { return {1, parts_.size, shape_.length, parts_.size * slots_}; }

    std::int64_t slice() const { return lanes_.front()->layout().slice(); }
    std::int64_t together() const { return std::min<std::int64_t>(shape_.replicas, threads_); }
    int lanes_for(std::int64_t replicas) const {
        return static_cast<int>(std::min<std::int64_t>(threads_, replicas * parts_.count));
    }

    void plan(Arena& arena) {
        tokens_ = arena.activation({shape_.replicas, shape_.batch, 1, shape_.length}, DType::i32);
        for (Tensor* slots : {&supervision_.row_of, &supervision_.target})
            *slots = arena.activation({shape_.replicas, 1, 1, shape_.slots}, DType::i32);
        for (Tensor* total : {&losses_.loss, &losses_.correct, &losses_.used})
            *total = arena.activation({shape_.replicas, 1, 1, 1}, DType::f64);
        for (Tensor* part : {&part_losses_.loss, &part_losses_.correct, &part_losses_.used})
            *part = arena.activation({shape_.replicas, 1, 1, parts_.count}, DType::f64);
        partial_ = arena.activation({together() * parts_.count, 1, 1, slice()}, dtype_);
    }

    void run_part(LanguageModel& lane, std::int64_t r, std::int64_t part, const Tensor& parameters,
                  const Tensor& partial, double label_smoothing) {
        load(lane, r, part);
        backend_.zero(partial, activation_bytes(partial.shape, dtype_));
        lane.forward(parameters);
        lane.loss_and_gradient(parameters, partial, label_smoothing);
        part_losses_.loss.at<double>(r)[part] = *lane.losses().loss.at<double>();
        part_losses_.correct.at<double>(r)[part] = *lane.losses().correct.at<double>();
        part_losses_.used.at<double>(r)[part] = *lane.losses().used.at<double>();
    }

    /// The part's sequences and slots; a last part that is shorter than the others is filled up with nothing.
    void load(LanguageModel& lane, std::int64_t r, std::int64_t part) const {
        const std::int64_t begin = parts_.begin(part), count = parts_.end(part) - begin, length = shape_.length;
        for (std::int64_t b = 0; b < parts_.size; ++b) {
            auto* to = lane.tokens().at<std::int32_t>(0, b);
            if (b < count)
                copy(tokens_.at<std::int32_t>(r, begin + b), to, length);
            else
                fill(0, to, length);
        }
        const std::int32_t* row_of = supervision_.row_of.at<std::int32_t>(r) + begin * slots_;
        const std::int32_t* target = supervision_.target.at<std::int32_t>(r) + begin * slots_;
        const Supervision& own = lane.supervision();
        for (std::int64_t m = 0; m < parts_.size * slots_; ++m) {
            const bool used = m < count * slots_ && row_of[m] >= 0;
            own.row_of.at<std::int32_t>()[m] = used ? row_of[m] - static_cast<std::int32_t>(begin * length) : -1;
            own.target.at<std::int32_t>()[m] = used ? target[m] : 0;
        }
    }

    void add_losses(std::int64_t r) const {
        const double* used = part_losses_.used.at<double>(r);
        double loss = 0, correct = 0, total = 0;
        for (std::int64_t part = 0; part < parts_.count; ++part) {
            loss += part_losses_.loss.at<double>(r)[part] * used[part];
            correct += part_losses_.correct.at<double>(r)[part];
            total += used[part];
        }
        *losses_.loss.at<double>(r) = total > 0 ? loss / total : 0;
        *losses_.correct.at<double>(r) = correct;
        *losses_.used.at<double>(r) = total;
    }

    /// Each part has the gradient of its own mean: it counts as many slots as it used.
    void add_partials(const Tensor& gradient, std::int64_t first, std::int64_t replicas) const {
        dispatch(dtype_, [&](auto scalar) {
            using T = decltype(scalar);
            const Blocks blocks(gradient.features(), 1 << 14, 64);
            parallel_for(threads_, replicas * blocks.count, [&](std::int64_t task, int) {
                const std::int64_t own = task / blocks.count, r = first + own;
                const std::int64_t begin = blocks.begin(task % blocks.count), end = blocks.end(task % blocks.count);
                const double total = *losses_.used.at<double>(r);
                for (std::int64_t part = 0; part < parts_.count; ++part) {
                    const double share = total > 0 ? part_losses_.used.at<double>(r)[part] / total : 0;
                    axpy(static_cast<T>(share), partial_.at<T>(own * parts_.count + part) + begin,
                         gradient.at<T>(r) + begin, end - begin);
                }
            });
        });
    }

    int threads_;
    DType dtype_;
    CpuBackend backend_;  // of one thread: what runs inside a task
    std::vector<std::unique_ptr<LanguageModel>> lanes_;
    Blocks parts_{1, 1, 1};
    std::int64_t slots_ = 1;  // a sequence
    bool bound_ = false;
    Buffer memory_;
    LossTensors part_losses_;  // [R,1,1,parts]
    Tensor partial_;           // [replicas together × parts,1,1,slice]
};

}  // namespace
}  // namespace cpu

std::unique_ptr<TrainingPass> make_parts_pass(const ModelConfig& config, int threads, DType dtype, FormChoice form) {
    return std::make_unique<cpu::PartsPass>(config, threads, dtype, form);
}

}  // namespace whorl
