#include "core/io/safetensors.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/error.hpp"
#include "core/base/lfs_pointer.hpp"
#include "core/base/text.hpp"
#include "core/io/descriptor.hpp"
#include "core/io/safetensors_header.hpp"
#include "core/io/stored_convert.hpp"

namespace whorl {

class ByteSource {
public:
    virtual ~ByteSource() = default;
    virtual std::uint64_t size() const = 0;
    /// Fills `out`; returns the bytes there were, fewer than asked for at the end.
    virtual std::size_t read(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

namespace {

class FileSource : public ByteSource {
public:
    explicit FileSource(const std::string& path)
        : path_(path), file_(open_regular_file(path)), size_(file_size(file_, path)) {}
    std::uint64_t size() const override { return size_; }
    std::size_t read(std::uint64_t offset, std::span<std::byte> out) const override {
        return read_at(file_, offset, out, path_);
    }

private:
    std::string path_;
    Descriptor file_;
    std::uint64_t size_;
};

class MemorySource : public ByteSource {
public:
    explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}
    std::uint64_t size() const override { return bytes_.size(); }
    std::size_t read(std::uint64_t offset, std::span<std::byte> out) const override {
        const std::size_t count = std::min<std::uint64_t>(out.size(), bytes_.size() - offset);
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
        return count;
    }

private:
    std::span<const std::byte> bytes_;
};

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;  // a multiple of every element size

void read_exactly(const ByteSource& source, std::uint64_t offset, std::span<std::byte> out, const std::string& path) {
    if (source.read(offset, out) != out.size())
        throw RuntimeFailure(one_line(path + ": became shorter while it was read"));
}

std::uint64_t header_length(const ByteSource& source, const std::string& path) {
    const auto fail = [&](const std::string& what) { throw UserError(one_line(path + ": " + what)); };
    if (source.size() < kLengthBytes)
        fail("too short for a safetensors file: " + std::to_string(source.size()) + " bytes");
    std::uint64_t length = 0;
    read_exactly(source, 0, std::as_writable_bytes(std::span(&length, 1)), path);
    if (length > kMaxHeaderBytes)
        fail("header length " + std::to_string(length) + " exceeds 100 MB; not a safetensors file?");
    if (length > source.size() - kLengthBytes)
        fail("header length " + std::to_string(length) + " exceeds the file's " + std::to_string(source.size()) +
             " bytes");
    return length;
}

}  // namespace

SafetensorsFile::SafetensorsFile(std::string path, std::unique_ptr<ByteSource> source)
    : path_(std::move(path)), source_(std::move(source)) {
    std::string beginning(kLfsPointerBytes, '\0');
    beginning.resize(source_->read(0, std::as_writable_bytes(std::span(beginning))));
    refuse_lfs_pointer(beginning, path_);
    std::string json(header_length(*source_, path_), '\0');
    read_exactly(*source_, kLengthBytes, std::as_writable_bytes(std::span(json)), path_);
    data_start_ = kLengthBytes + json.size();
    SafetensorsHeader header = parse_safetensors_header(json, source_->size() - data_start_, path_);
    tensors_ = std::move(header.tensors);
    metadata_ = std::move(header.metadata);
    for (std::size_t i = 0; i < tensors_.size(); ++i) index_.emplace(tensors_[i].name, i);
}

SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;
SafetensorsFile::~SafetensorsFile() = default;

SafetensorsFile SafetensorsFile::open(const std::string& path) {
    return SafetensorsFile(path, std::make_unique<FileSource>(path));
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> bytes, const std::string& name) {
    return SafetensorsFile(name, std::make_unique<MemorySource>(bytes));
}

bool SafetensorsFile::contains(std::string_view name) const {
    return index_.find(name) != index_.end();
}

const StoredTensor& SafetensorsFile::at(std::string_view name) const {
    const auto found = index_.find(name);
    if (found != index_.end()) return tensors_[found->second];
    std::vector<std::string> names;
    for (const StoredTensor& tensor : tensors_) names.push_back(tensor.name);
    throw UserError(one_line(path_ + ": no tensor " + in_quotes(name) + suggestion(name, names)));
}

const std::string& SafetensorsFile::metadata_at(const std::string& key) const {
    const auto found = metadata_.find(key);
    if (found != metadata_.end()) return found->second;
    throw UserError(one_line(path_ + ": no key " + in_quotes(key) + " in __metadata__"));
}

void SafetensorsFile::read_bytes(const StoredTensor& tensor, std::uint64_t offset, std::span<std::byte> out) const {
    const std::uint64_t available = tensor.end - tensor.begin;
    if (offset > available || out.size() > available - offset) throw std::out_of_range("SafetensorsFile::read_bytes");
    read_exactly(*source_, data_start_ + tensor.begin + offset, out, path_);
}

template <class T>
void SafetensorsFile::read_into(std::string_view name, std::span<T> out) const {
    const StoredTensor& tensor = at(name);
    const std::string where = path_ + ": tensor " + in_quotes(name);
    if (static_cast<std::uint64_t>(tensor.count()) != out.size())
        throw UserError(one_line(where + ": has " + std::to_string(tensor.count()) + " elements, expected " +
                                 std::to_string(out.size())));
    if (tensor.type == stored_type_of<T>()) return read_bytes(tensor, 0, std::as_writable_bytes(out));
    const std::size_t size = byte_size(tensor.type);
    std::vector<std::byte> piece(std::min<std::uint64_t>(kPieceBytes, tensor.end - tensor.begin));
    for (std::size_t done = 0; done < out.size();) {
        const std::size_t count = std::min(piece.size() / size, out.size() - done);
        const std::span bytes = std::span(piece).first(count * size);
        read_bytes(tensor, done * size, bytes);
        convert<T>(tensor.type, bytes, out.subspan(done, count), where);
        done += count;
    }
}

template <class T>
std::vector<T> SafetensorsFile::read_as(std::string_view name) const {
    std::vector<T> values(static_cast<std::size_t>(at(name).count()));
    read_into<T>(name, values);
    return values;
}

template std::vector<double> SafetensorsFile::read_as(std::string_view) const;
template std::vector<float> SafetensorsFile::read_as(std::string_view) const;
template std::vector<std::int64_t> SafetensorsFile::read_as(std::string_view) const;
template std::vector<std::int32_t> SafetensorsFile::read_as(std::string_view) const;
template void SafetensorsFile::read_into(std::string_view, std::span<double>) const;
template void SafetensorsFile::read_into(std::string_view, std::span<float>) const;
template void SafetensorsFile::read_into(std::string_view, std::span<std::int64_t>) const;
template void SafetensorsFile::read_into(std::string_view, std::span<std::int32_t>) const;

void refuse_file(const std::string& path, const std::string& what) {
    throw UserError(one_line(path + ": " + what));
}

}  // namespace whorl
