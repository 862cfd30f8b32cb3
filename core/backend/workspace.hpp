// One arena a run: planned by a dry pass that only counts, then allocated once and handed out in the same order.
// Nothing is allocated inside a training step.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/backend/tensor.hpp"

namespace whorl {

/// A bump allocator over one block of device memory. Without a block it only measures.
class Arena {
public:
    Arena() = default;
    Arena(std::byte* base, Device device) : base_(base), device_(device) {}

    Tensor activation(std::array<std::int64_t, 4> shape, DType dtype) {
        Tensor tensor = activation_at(take(activation_bytes(shape, dtype)), shape, dtype, device_);
        tensor.starts = starts_;
        return tensor;
    }
    /// Activations taken from now on are packed so (Tensor::starts), or not at all.
    void pack(const std::int32_t* starts) { starts_ = starts; }
    /// Untyped bytes as a tensor of one row.
    Tensor bytes(std::int64_t count) {
        const std::int64_t floats = (count + 3) / 4;
        return activation_at(take(floats * 4), {1, 1, 1, floats}, DType::f32, device_);
    }
    std::int64_t used() const { return used_; }
    std::int64_t peak() const { return peak_; }
    /// Gives back everything taken after `mark`: memory whose life ended, to be used again.
    void rewind(std::int64_t mark) { used_ = mark; }

private:
    std::byte* take(std::int64_t count) {
        const std::int64_t offset = used_;
        used_ += (count + kAlignment - 1) / kAlignment * kAlignment;
        peak_ = std::max(peak_, used_);
        return base_ ? base_ + offset : nullptr;
    }
    std::byte* base_ = nullptr;
    Device device_ = Device::cpu;
    const std::int32_t* starts_ = nullptr;
    std::int64_t used_ = 0;
    std::int64_t peak_ = 0;
};

/// Owns bytes on a device; made by Backend::allocate. Move-only.
class Buffer {
public:
    using Release = void (*)(std::byte*);
    Buffer() = default;
    Buffer(std::byte* data, std::int64_t size, Release release) : data_(data), size_(size), release_(release) {}
    Buffer(Buffer&& other) noexcept { *this = std::move(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(release_, other.release_);
        return *this;
    }
    ~Buffer() {
        if (data_) release_(data_);
    }
    std::byte* data() const { return data_; }
    std::int64_t size() const { return size_; }

private:
    std::byte* data_ = nullptr;
    std::int64_t size_ = 0;
    Release release_ = nullptr;
};

}  // namespace whorl
