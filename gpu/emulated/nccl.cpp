// NCCL for emulated devices: threads of this process that wait for one another and add what all of them bring.
#include "gpu/runtime/nccl.hpp"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

namespace whorl::emulated {
namespace {

using gpu::NcclComm;
using gpu::NcclType;

constexpr int kInvalidArgument = 4;

/// What one device brings.
struct Offer {
    const void* from;
    void* to;
    std::size_t count;
    NcclType type;
};

/// In the order of the devices, as one of several that a ring may have.
template <class T>
void add_all(const std::vector<Offer>& offers) {
    std::vector<T> sum(offers.front().count);
    for (const Offer& offer : offers)
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<const T*>(offer.from)[i];
    for (const Offer& offer : offers) std::memcpy(offer.to, sum.data(), sum.size() * sizeof(T));
}

/// Where the devices meet: the last to come does the work for all.
class Ring {
public:
    explicit Ring(std::size_t devices) : offers_(devices) {}

    void sum(std::size_t rank, const Offer& offer) {
        std::unique_lock lock(guard_);
        offers_[rank] = offer;
        const std::size_t round = round_;
        if (++arrived_ < offers_.size()) {
            come_.wait(lock, [&] { return round_ != round || aborted_; });
            return;
        }
        check();
        offer.type == NcclType::float32 ? add_all<float>(offers_) : add_all<double>(offers_);
        arrived_ = 0;
        ++round_;
        come_.notify_all();
    }
    void abort() {
        const std::lock_guard lock(guard_);
        aborted_ = true;
        come_.notify_all();
    }

private:
    // A GPU would hang, or add what does not belong together.
    void check() const {
        for (const Offer& offer : offers_)
            if (offer.count != offers_.front().count || offer.type != offers_.front().type) {
                std::fprintf(stderr, "GPU emulation: devices add %zu and %zu elements, or of other types\n",
                             offers_.front().count, offer.count);
                std::abort();
            }
    }

    std::mutex guard_;
    std::condition_variable come_;
    std::vector<Offer> offers_;
    std::size_t arrived_ = 0, round_ = 0;
    bool aborted_ = false;
};

}  // namespace
}  // namespace whorl::emulated

struct ncclComm {
    std::shared_ptr<whorl::emulated::Ring> ring;
    std::size_t rank;
    int device;
};

namespace whorl::emulated {
namespace {

int init_all(NcclComm* comms, int count, const int* devices) {
    const auto ring = std::make_shared<Ring>(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        for (int j = 0; j < i; ++j)
            if (devices[i] == devices[j]) return kInvalidArgument;
        comms[i] = new ncclComm{ring, static_cast<std::size_t>(i), devices[i]};
    }
    return gpu::kNcclSuccess;
}

int destroy(NcclComm comm) {
    delete comm;
    return gpu::kNcclSuccess;
}

int abort_all(NcclComm comm) {
    comm->ring->abort();
    return destroy(comm);
}

int all_reduce(const void* from, void* to, std::size_t count, NcclType type, gpu::NcclSum, NcclComm comm,
               cudaStream_t stream) {
    if (device_of(stream) != comm->device) return kInvalidArgument;
    submit(stream,
           [ring = comm->ring, rank = comm->rank, offer = Offer{from, to, count, type}] { ring->sum(rank, offer); });
    return gpu::kNcclSuccess;
}

}  // namespace

}  // namespace whorl::emulated

namespace whorl::gpu {

Nccl open_nccl() {
    using namespace emulated;
    Nccl library;
    library.get_version = [](int* version) {
        *version = kOldestNccl;
        return kNcclSuccess;
    };
    library.comm_init_all = init_all;
    library.comm_destroy = destroy;
    library.comm_abort = abort_all;
    library.all_reduce = all_reduce;
    library.group_start = library.group_end = [] { return kNcclSuccess; };
    library.error_string = [](int result) { return result == kNcclSuccess ? "no error" : "invalid argument"; };
    return library;
}

}  // namespace whorl::gpu
