// Reading and writing safetensors files: a JSON header, then the tensors' bytes one after the other.
//
// The reader trusts nothing: header length, JSON, dtypes, shapes, offsets and the file's exact size are checked before
// any memory for data is allocated. Tensor data is read on demand, so a file may be larger than the memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/stored_type.hpp"

namespace whorl {

/// Throws UserError `path: what`, one line.
[[noreturn]] void refuse_file(const std::string& path, const std::string& what);

struct StoredTensor {
    std::string name;
    StoredType type = StoredType::f32;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0;  // bytes from the start of the data section
    std::uint64_t end = 0;

    std::int64_t count() const { return static_cast<std::int64_t>((end - begin) / byte_size(type)); }
};

class ByteSource;  // a file, or memory

class SafetensorsFile {
public:
    /// Throws UserError `path: what` unless the file is valid in every respect.
    static SafetensorsFile open(const std::string& path);
    /// The same over memory, which must outlive the object; `name` stands in for the path in messages.
    static SafetensorsFile parse(std::span<const std::byte> bytes, const std::string& name);

    SafetensorsFile(SafetensorsFile&&) noexcept;
    SafetensorsFile& operator=(SafetensorsFile&&) noexcept;
    ~SafetensorsFile();

    const std::string& path() const { return path_; }
    /// In the order of their data.
    const std::vector<StoredTensor>& tensors() const { return tensors_; }
    const std::map<std::string, std::string>& metadata() const { return metadata_; }

    bool contains(std::string_view name) const;
    /// Throws UserError with the nearest name when there is none such.
    const StoredTensor& at(std::string_view name) const;
    /// Throws UserError when there is no such key in `__metadata__`.
    const std::string& metadata_at(const std::string& key) const;

    /// All elements, converted. T is double, float, std::int64_t or std::int32_t. Floating dtypes convert to floating
    /// T (rounding where T is narrower); integer dtypes and bool convert to any T that holds the value. Throws
    /// UserError for a floating dtype read as integers and for an integer out of T's range (or above 2^53 for double,
    /// 2^24 for float).
    template <class T>
    std::vector<T> read_as(std::string_view name) const;
    /// The same into the caller's memory; `out` must have exactly at(name).count() elements (else UserError).
    template <class T>
    void read_into(std::string_view name, std::span<T> out) const;
    /// Raw little-endian bytes from `offset` bytes into the tensor. Throws RuntimeFailure when the file has shrunk.
    void read_bytes(const StoredTensor& tensor, std::uint64_t offset, std::span<std::byte> out) const;

private:
    SafetensorsFile(std::string path, std::unique_ptr<ByteSource> source);

    std::string path_;
    std::unique_ptr<ByteSource> source_;
    std::uint64_t data_start_ = 0;
    std::vector<StoredTensor> tensors_;
    std::map<std::string, std::size_t, std::less<>> index_;
    std::map<std::string, std::string> metadata_;
};

/// A tensor to write: a view of the caller's memory.
struct TensorView {
    std::string name;
    StoredType type = StoredType::f32;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;
};

template <class T>
TensorView tensor_view(std::string name, std::vector<std::int64_t> shape, std::span<const T> values) {
    return {std::move(name), stored_type_of<T>(), std::move(shape), std::as_bytes(values)};
}

/// Writes atomically, in the given order, the data starting at a multiple of 64 bytes; the same input gives the same
/// bytes. Throws UserError or RuntimeFailure as AtomicFile does, std::invalid_argument for a repeated or reserved name
/// or for bytes that do not match the shape.
void write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace whorl
