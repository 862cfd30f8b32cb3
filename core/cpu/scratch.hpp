// Scratch memory of one task, carved from bytes that the workspace planned. Without a base it only measures, so that
// the struct of buffers an algorithm uses is also what declares their size.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/backend/tensor.hpp"

namespace whorl::cpu {

class Scratch {
public:
    explicit Scratch(std::byte* base = nullptr) : base_(base) {}

    template <class T>
    T* take(std::int64_t count) {
        const std::int64_t offset = used_;
        const auto bytes = count * static_cast<std::int64_t>(sizeof(T));
        used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
        return base_ ? reinterpret_cast<T*>(base_ + offset) : nullptr;
    }
    std::int64_t used() const { return used_; }

private:
    std::byte* base_;
    std::int64_t used_ = 0;
};

/// Bytes that Buffers(Scratch&, args...) takes.
template <class Buffers, class... Args>
std::int64_t scratch_bytes(const Args&... args) {
    Scratch measure;
    Buffers buffers(measure, args...);
    return measure.used();
}

}  // namespace whorl::cpu
