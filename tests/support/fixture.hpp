// Tensors for judging a backend: every byte that is not an element of the tensor is a sentinel, before, behind and
// between the rows. The sentinel is all ones, which is also a NaN (and -1): reading one spoils a result, writing one is
// found.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/backend/backend.hpp"

namespace whorl::test {

using Shape = std::array<std::int64_t, 4>;

constexpr std::int64_t count_of(const Shape& shape) {
    return shape[0] * shape[1] * shape[2] * shape[3];
}

class Fixture {
public:
    /// Activations are stored in `stored`, the rest in it, too, or (of bf16) in float.
    Fixture(Backend& backend, DType stored)
        : backend_(backend), dtype_(stored == DType::bf16 ? DType::f32 : stored), stored_(stored) {}

    /// [R,B,L,F], elements unset (NaN). `before` features of sentinels stand to the left in each row, as when the
    /// tensor is a slice of a wider projection.
    Tensor activation(const std::string& name, const Shape& shape, std::int64_t before = 0);
    /// The same of the residual stream.
    Tensor stream(const std::string& name, const Shape& shape, std::int64_t before = 0);
    /// [R,d0,d1,d2], dense inside a replica, a gap between replicas as in a flat slice of many parameters.
    Tensor parameter(const std::string& name, const Shape& shape);
    Tensor indices(const std::string& name, const Shape& shape) { return rows(name, shape, DType::i32, 0); }
    Tensor doubles(const std::string& name, const Shape& shape) { return rows(name, shape, DType::f64, 0); }
    /// Untyped memory of exactly `count` bytes.
    Tensor bytes(const std::string& name, std::int64_t count);

    void write(const Tensor& tensor, const std::vector<double>& values);
    void write(const Tensor& tensor, const std::vector<std::int32_t>& values);
    void fill(const Tensor& tensor, double value);
    /// The elements in order, without the padding.
    std::vector<double> read(const Tensor& tensor) const;
    /// Names a tensor around whose elements something was written; empty when all is well.
    std::string damage() const;

private:
    struct Block {
        std::string name;
        Buffer buffer;
        Tensor tensor;
    };
    Tensor rows(const std::string& name, const Shape& shape, DType dtype, std::int64_t before);
    Tensor place(const std::string& name, Tensor tensor, std::int64_t bytes);
    const Block& block_of(const Tensor& tensor) const;
    std::vector<std::byte> image_of(const Block& block) const;
    template <class Value>
    void write_elements(const Tensor& tensor, const std::vector<Value>& values);

    Backend& backend_;
    DType dtype_, stored_;
    std::vector<Block> blocks_;
};

/// Every backend that this build and machine have; one that is missing is named in one printed line, once.
const std::vector<Backend*>& judged_backends();

/// Uniform numbers in [low, high], rounded to float so that float and double runs start from the same ones.
std::vector<double> random_numbers(std::uint64_t seed, std::uint64_t stream, std::int64_t count, double low,
                                   double high);

}  // namespace whorl::test
