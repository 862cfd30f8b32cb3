// The gradient of the whole batch from those of its parts, over NCCL: each device's mean becomes its sum, the sums are
// added, and the total becomes the mean over all used slots.
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "core/backend/communicator.hpp"
#include "core/base/error.hpp"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/launch.cuh"
#include "gpu/runtime/nccl.hpp"

namespace whorl {
namespace gpu {
namespace {

void check_nccl(int result, const char* what) {
    if (result != kNcclSuccess)
        throw RuntimeFailure(std::string(what) + " between the GPUs: " + nccl().error_string(result) +
                             " (NCCL_DEBUG=WARN says more)");
}

/// A replica's numbers as they are added.
struct PartSums {
    double loss, correct, used;
};
constexpr std::size_t kSums = sizeof(PartSums) / sizeof(double);

struct Parts {
    View<float> gradient;
    View<double> loss, correct, used;
    PartSums* sums;  // [R]
};

/// From means over this device's used slots to sums.
struct ToSums {
    Parts parts;

    __device__ void operator()(unsigned r, std::int64_t, int i) const {
        const double used = *parts.used.at(r);
        parts.gradient.at(r)[i] *= static_cast<float>(used);
        if (i == 0) parts.sums[r] = {*parts.loss.at(r) * used, *parts.correct.at(r), used};
    }
};

/// From the sums of all devices to means.
struct ToMeans {
    Parts parts;

    __device__ void operator()(unsigned r, std::int64_t, int i) const {
        const PartSums sums = parts.sums[r];
        const double weight = sums.used > 0 ? 1 / sums.used : 0;
        parts.gradient.at(r)[i] *= static_cast<float>(weight);
        if (i != 0) return;
        *parts.loss.at(r) = sums.loss * weight;
        *parts.correct.at(r) = sums.correct;
        *parts.used.at(r) = sums.used;
    }
};

constexpr const char* kAnotherFailed = "another GPU failed";

/// What the ends have in common.
class Connection {
public:
    explicit Connection(const std::vector<int>& devices) : comms_(devices.size()) {
        choose_behaviour();
        check_nccl(nccl().comm_init_all(comms_.data(), static_cast<int>(devices.size()), devices.data()), "connecting");
    }
    ~Connection() {
        for (const NcclComm comm : comms_)
            if (!abandoned_) nccl().comm_destroy(comm);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    NcclComm comm(std::size_t rank) {
        const std::lock_guard lock(guard_);
        if (abandoned_) throw RuntimeFailure(kAnotherFailed);
        return comms_[rank];
    }

    void meet() {
        std::unique_lock lock(guard_);
        const std::size_t round = round_;
        if (!abandoned_ && ++arrived_ == comms_.size()) {
            arrived_ = 0;
            ++round_;
            come_.notify_all();
        }
        come_.wait(lock, [&] { return round_ != round || abandoned_; });
        if (abandoned_) throw RuntimeFailure(kAnotherFailed);
    }
    void abandon() {
        const std::lock_guard lock(guard_);
        if (abandoned_) return;
        abandoned_ = true;
        come_.notify_all();
        for (const NcclComm comm : comms_) nccl().comm_abort(comm);
    }

private:
    /// One algorithm, so that sums are added in one order whatever NCCL measures or takes for the best; the others may
    /// also need what a machine does not grant. All work of a device is on one stream: nothing runs beside a graph, and
    /// buffers need no registration. What the environment says already, stays.
    static void choose_behaviour() {
        setenv("NCCL_ALGO", "Ring", 0);
        setenv("NCCL_NVLS_ENABLE", "0", 0);
        setenv("NCCL_GRAPH_MIXING_SUPPORT", "0", 0);
        setenv("NCCL_GRAPH_REGISTER", "0", 0);
    }

    std::vector<NcclComm> comms_;
    std::mutex guard_;
    std::condition_variable come_;
    std::size_t arrived_ = 0, round_ = 0;
    bool abandoned_ = false;
};

class NcclEnd final : public Communicator {
public:
    NcclEnd(std::shared_ptr<Connection> connection, std::size_t rank, CudaBackend& backend, std::int64_t replicas)
        : connection_(std::move(connection)),
          rank_(rank),
          backend_(backend),
          memory_(backend.allocate(replicas * static_cast<std::int64_t>(sizeof(PartSums)))) {}

    void combine(const Tensor& gradient, const LossTensors& losses) override {
        const std::int64_t replicas = gradient.replicas();
        const Parts parts{view<float>(gradient), view<double>(losses.loss), view<double>(losses.correct),
                          view<double>(losses.used), reinterpret_cast<PartSums*>(memory_.data())};
        for_each_element("to_sums", backend_.stream(), replicas, SequenceRows(1), gradient.features(), ToSums{parts});
        check_nccl(nccl().group_start(), "adding");
        add(gradient.data, static_cast<std::size_t>(replicas * gradient.stride[0]), NcclType::float32);
        add(memory_.data(), static_cast<std::size_t>(replicas) * kSums, NcclType::float64);
        check_nccl(nccl().group_end(), "adding");
        for_each_element("to_means", backend_.stream(), replicas, SequenceRows(1), gradient.features(), ToMeans{parts});
    }
    void meet() override { connection_->meet(); }
    void check() override { connection_->comm(rank_); }
    void abandon() override { connection_->abandon(); }

private:
    void add(std::byte* data, std::size_t count, NcclType type) {
        check_nccl(
            nccl().all_reduce(data, data, count, type, NcclSum::sum, connection_->comm(rank_), backend_.stream()),
            "adding");
    }

    std::shared_ptr<Connection> connection_;
    std::size_t rank_;
    CudaBackend& backend_;
    Buffer memory_;
};

std::vector<CudaBackend*> gpus_of(const Devices& devices) {
    std::vector<CudaBackend*> gpus;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        auto* gpu = dynamic_cast<CudaBackend*>(&devices[i]);
        if (!gpu) throw UserError("data_parallel: batches are shared by GPUs only");
        gpus.push_back(gpu);
    }
    return gpus;
}

}  // namespace
}  // namespace gpu

std::string why_no_communicator() {
    return gpu::nccl().missing;
}

std::vector<std::unique_ptr<Communicator>> make_communicators(const Devices& devices, std::int64_t replicas) {
    if (const std::string reason = why_no_communicator(); !reason.empty()) throw UserError("data_parallel: " + reason);
    const std::vector<gpu::CudaBackend*> gpus = gpu::gpus_of(devices);
    std::vector<int> numbers;
    for (const gpu::CudaBackend* one : gpus) numbers.push_back(one->index());
    const auto connection = std::make_shared<gpu::Connection>(numbers);
    std::vector<std::unique_ptr<Communicator>> ends;
    for (std::size_t i = 0; i < gpus.size(); ++i)
        ends.push_back(std::make_unique<gpu::NcclEnd>(connection, i, *gpus[i], replicas));
    return ends;
}

}  // namespace whorl
