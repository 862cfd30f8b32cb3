#include "tests/support/fixture.hpp"

#include <cstring>
#include <iostream>
#include <stdexcept>

#include "core/backend/factories.hpp"
#include "core/base/philox.hpp"
#include "core/numerics/bf16.hpp"

namespace whorl::test {
namespace {

constexpr std::int64_t kGuard = 128;  // bytes before and behind each tensor
constexpr std::byte kSentinel{0xFF};

/// Calls visit(offset in elements) for every element, in order.
template <class Visit>
void for_each_element(const Tensor& tensor, const Visit& visit) {
    for (std::int64_t i = 0; i < tensor.shape[0]; ++i)
        for (std::int64_t j = 0; j < tensor.shape[1]; ++j)
            for (std::int64_t k = 0; k < tensor.shape[2]; ++k)
                for (std::int64_t f = 0; f < tensor.shape[3]; ++f)
                    visit(i * tensor.stride[0] + j * tensor.stride[1] + k * tensor.stride[2] + f);
}

void store(std::byte* to, DType dtype, double value) {
    if (dtype == DType::f64) {
        std::memcpy(to, &value, sizeof value);
    } else if (dtype == DType::i32) {
        const auto whole = static_cast<std::int32_t>(value);
        std::memcpy(to, &whole, sizeof whole);
    } else if (dtype == DType::bf16) {
        const numerics::Bf16 rounded(static_cast<float>(value));
        std::memcpy(to, &rounded, sizeof rounded);
    } else {
        const auto rounded = static_cast<float>(value);
        std::memcpy(to, &rounded, sizeof rounded);
    }
}

double load(const std::byte* from, DType dtype) {
    if (dtype == DType::f64) {
        double value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }
    if (dtype == DType::i32) {
        std::int32_t value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }
    if (dtype == DType::bf16) {
        numerics::Bf16 value;
        std::memcpy(&value, from, sizeof value);
        return static_cast<double>(static_cast<float>(value));
    }
    float value;
    std::memcpy(&value, from, sizeof value);
    return static_cast<double>(value);
}

}  // namespace

Tensor Fixture::activation(const std::string& name, const Shape& shape, std::int64_t before) {
    return rows(name, shape, stored_, before);
}

Tensor Fixture::stream(const std::string& name, const Shape& shape, std::int64_t before) {
    return rows(name, shape, dtype_, before);
}

Tensor Fixture::rows(const std::string& name, const Shape& shape, DType dtype, std::int64_t before) {
    const std::int64_t row = padded(before + shape[3] + 1, dtype);  // + 1: no row without padding
    Tensor tensor{nullptr, dtype, backend_.device(), shape, {shape[1] * shape[2] * row, shape[2] * row, row, 1}};
    const auto size = static_cast<std::int64_t>(size_of(dtype));
    tensor = place(name, tensor, shape[0] * tensor.stride[0] * size);
    tensor.data += before * size;
    return blocks_.back().tensor = tensor;
}

Tensor Fixture::parameter(const std::string& name, const Shape& shape) {
    const std::int64_t slice = padded(shape[1] * shape[2] * shape[3] + 1, dtype_);
    const Tensor tensor{nullptr, dtype_, backend_.device(), shape, {slice, shape[2] * shape[3], shape[3], 1}};
    return place(name, tensor, shape[0] * slice * static_cast<std::int64_t>(size_of(dtype_)));
}

Tensor Fixture::bytes(const std::string& name, std::int64_t count) {
    const std::int64_t floats = (count + 3) / 4;
    const Tensor tensor{nullptr, DType::f32, backend_.device(), {1, 1, 1, floats}, {floats, floats, floats, 1}};
    return place(name, tensor, floats * 4);
}

Tensor Fixture::place(const std::string& name, Tensor tensor, std::int64_t bytes) {
    Buffer buffer = backend_.allocate(bytes + 2 * kGuard);
    tensor.data = buffer.data();
    const std::vector<std::byte> sentinels(static_cast<std::size_t>(bytes + 2 * kGuard), kSentinel);
    backend_.upload(tensor, sentinels.data(), bytes + 2 * kGuard);
    tensor.data += kGuard;
    blocks_.push_back({name, std::move(buffer), tensor});
    return tensor;
}

const Fixture::Block& Fixture::block_of(const Tensor& tensor) const {
    for (const Block& block : blocks_)
        if (tensor.data >= block.buffer.data() && tensor.data < block.buffer.data() + block.buffer.size()) return block;
    throw std::logic_error("a tensor of another fixture");
}

std::vector<std::byte> Fixture::image_of(const Block& block) const {
    std::vector<std::byte> image(static_cast<std::size_t>(block.buffer.size()));
    Tensor whole = block.tensor;
    whole.data = block.buffer.data();
    backend_.download(image.data(), whole, block.buffer.size());
    return image;
}

template <class Value>
void Fixture::write_elements(const Tensor& tensor, const std::vector<Value>& values) {
    if (static_cast<std::int64_t>(values.size()) != count_of(tensor.shape))
        throw std::logic_error("values do not fit the tensor");
    const Block& block = block_of(tensor);
    std::vector<std::byte> image = image_of(block);
    std::byte* first = image.data() + (tensor.data - block.buffer.data());
    std::size_t next = 0;
    for_each_element(tensor, [&](std::int64_t at) {
        store(first + at * static_cast<std::int64_t>(size_of(tensor.dtype)), tensor.dtype,
              static_cast<double>(values[next++]));
    });
    Tensor whole = tensor;
    whole.data = block.buffer.data();
    backend_.upload(whole, image.data(), block.buffer.size());
}

void Fixture::write(const Tensor& tensor, const std::vector<double>& values) {
    write_elements(tensor, values);
}
void Fixture::write(const Tensor& tensor, const std::vector<std::int32_t>& values) {
    write_elements(tensor, values);
}
void Fixture::fill(const Tensor& tensor, double value) {
    write_elements(tensor, std::vector<double>(static_cast<std::size_t>(count_of(tensor.shape)), value));
}

/// Comparisons are the host's: the same code, in double, judges all backends.
std::vector<double> Fixture::read(const Tensor& tensor) const {
    const Block& block = block_of(tensor);
    const std::vector<std::byte> image = image_of(block);
    const std::byte* first = image.data() + (tensor.data - block.buffer.data());
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(count_of(tensor.shape)));
    for_each_element(tensor, [&](std::int64_t at) {
        values.push_back(load(first + at * static_cast<std::int64_t>(size_of(tensor.dtype)), tensor.dtype));
    });
    return values;
}

std::string Fixture::damage() const {
    for (const Block& block : blocks_) {
        std::vector<std::byte> image = image_of(block);
        std::byte* first = image.data() + (block.tensor.data - block.buffer.data());
        const std::size_t size = size_of(block.tensor.dtype);
        for_each_element(block.tensor, [&](std::int64_t at) {
            std::memset(first + at * static_cast<std::int64_t>(size), 0xFF, size);
        });
        for (const std::byte byte : image)
            if (byte != kSentinel) return block.name + ": written outside its elements";
    }
    return {};
}

const std::vector<Backend*>& judged_backends() {
    static const std::string missing = why_no_cuda();
    static const std::unique_ptr<Backend> cpu = make_cpu_backend(2),
                                          gpu = missing.empty() ? make_cuda_backend() : nullptr;
    static const std::vector<Backend*> all = [] {
        if (gpu) return std::vector<Backend*>{cpu.get(), gpu.get()};
        std::cout << "skipped: the operations on a GPU (" << missing << ")\n";
        return std::vector<Backend*>{cpu.get()};
    }();
    return all;
}

std::vector<double> random_numbers(std::uint64_t seed, std::uint64_t stream, std::int64_t count, double low,
                                   double high) {
    std::vector<double> numbers(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        Random random(seed, Purpose::test_fixture, stream, i);
        numbers[i] = static_cast<double>(static_cast<float>(random.uniform(low, high)));
    }
    return numbers;
}

}  // namespace whorl::test
