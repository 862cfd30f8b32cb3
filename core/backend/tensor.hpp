// Tensors: strided views over memory that somebody else owns (an Arena or a Buffer).
//
// Every tensor has four axes. Activations are [replica, batch, position, feature], parameters [replica, d0, d1, d2];
// missing axes have extent 1. The last axis is contiguous. Rows of activations start on 64-byte boundaries.
//
// Activations may be packed: sequences then have lengths of their own, and their rows follow one another without gaps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace whorl {

enum class DType : std::uint8_t { f64, f32, bf16, i32 };
enum class Device : std::uint8_t { cpu, cuda };

constexpr std::size_t size_of(DType dtype) {
    return dtype == DType::f64 ? 8 : dtype == DType::bf16 ? 2 : 4;
}
template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<double>() {
    return DType::f64;
}
template <>
constexpr DType dtype_of<float>() {
    return DType::f32;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
    return DType::i32;
}

inline constexpr std::int64_t kAlignment = 64;  // bytes: a cache line, and the widest vector of any target

/// `count` rounded up so that rows of `count` elements start on 64-byte boundaries.
constexpr std::int64_t padded(std::int64_t count, DType dtype) {
    const std::int64_t unit = kAlignment / static_cast<std::int64_t>(size_of(dtype));
    return (count + unit - 1) / unit * unit;
}

struct Tensor {
    std::byte* data = nullptr;
    DType dtype = DType::f32;
    Device device = Device::cpu;
    std::array<std::int64_t, 4> shape{1, 1, 1, 1};
    std::array<std::int64_t, 4> stride{0, 0, 0, 1};  // elements
    /// Packed activations: [replicas][batch + 1] on the device; sequence b of replica r has the replica's rows
    /// [starts[r][b], starts[r][b + 1]), at most shape[2] of them. Null: each has shape[2].
    const std::int32_t* starts = nullptr;

    explicit operator bool() const { return data != nullptr; }
    std::int64_t replicas() const { return shape[0]; }
    std::int64_t features() const { return shape[3]; }
    /// Rows of one replica: batch × position. Valid for activations, whose rows lie at one stride.
    std::int64_t rows() const { return shape[1] * shape[2]; }
    std::int64_t row_stride() const { return stride[2]; }

    template <class T>
    T* at(std::int64_t i = 0, std::int64_t j = 0, std::int64_t k = 0) const {
        return reinterpret_cast<T*>(data) + i * stride[0] + j * stride[1] + k * stride[2];
    }
    /// Features [begin, begin + count) of every row.
    Tensor slice(std::int64_t begin, std::int64_t count) const {
        Tensor part = *this;
        if (part.data) part.data += begin * static_cast<std::int64_t>(size_of(dtype));
        part.shape[3] = count;
        return part;
    }
};

/// Bytes that activations [replicas, batch, length, features] take with padded rows.
constexpr std::int64_t activation_bytes(std::array<std::int64_t, 4> shape, DType dtype) {
    return shape[0] * shape[1] * shape[2] * padded(shape[3], dtype) * static_cast<std::int64_t>(size_of(dtype));
}

/// A view of activations [replicas, batch, length, features] at `data`, rows padded to 64 bytes.
inline Tensor activation_at(std::byte* data, std::array<std::int64_t, 4> shape, DType dtype, Device device) {
    const std::int64_t row = padded(shape[3], dtype);
    Tensor tensor{data, dtype, device, shape};
    tensor.stride = {shape[1] * shape[2] * row, shape[2] * row, row, 1};
    return tensor;
}

}  // namespace whorl
