#include <set>
#include <stdexcept>

#include "core/base/text.hpp"
#include "core/config/value.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/safetensors.hpp"

namespace whorl {
namespace {

// Data starts at a multiple of this, so that a mapped file can be used in place by vector code.
constexpr std::size_t kAlignment = 64;

void check(const TensorView& tensor, std::set<std::string>& names) {
    const auto demand = [&](bool holds, const char* what) {
        if (!holds) throw std::invalid_argument("write_safetensors: " + tensor.name + ": " + what);
    };
    demand(tensor.name != "__metadata__", "the name is reserved");
    demand(valid_utf8(tensor.name), "the name is not valid UTF-8");
    demand(names.insert(tensor.name).second, "the name is repeated");
    std::uint64_t bytes = byte_size(tensor.type);
    for (const std::int64_t dimension : tensor.shape) {
        demand(dimension >= 0, "a dimension is negative");
        bytes *= static_cast<std::uint64_t>(dimension);
    }
    demand(bytes == tensor.bytes.size(), "the bytes do not match the shape");
}

Value offsets_value(std::uint64_t begin, std::uint64_t end) {
    return {Array{{static_cast<std::int64_t>(begin)}, {static_cast<std::int64_t>(end)}}};
}

Value entry(const TensorView& tensor, std::uint64_t begin) {
    Array shape;
    for (const std::int64_t dimension : tensor.shape) shape.push_back({dimension});
    return {Table{{"dtype", {std::string(name_of(tensor.type))}},
                  {"shape", {std::move(shape)}},
                  {"data_offsets", offsets_value(begin, begin + tensor.bytes.size())}}};
}

Value metadata_value(const std::map<std::string, std::string>& metadata) {
    Table members;
    for (const auto& [key, text] : metadata) {
        if (!valid_utf8(key) || !valid_utf8(text))
            throw std::invalid_argument("write_safetensors: metadata is not valid UTF-8");
        members.push_back({key, {text}});
    }
    return {std::move(members)};
}

std::string header(std::span<const TensorView> tensors, const std::map<std::string, std::string>& metadata) {
    Table members;
    if (!metadata.empty()) members.push_back({"__metadata__", metadata_value(metadata)});
    std::set<std::string> names;
    std::uint64_t begin = 0;
    for (const TensorView& tensor : tensors) {
        check(tensor, names);
        members.push_back({tensor.name, entry(tensor, begin)});
        begin += tensor.bytes.size();
    }
    std::string json = write_json({std::move(members)});
    const std::size_t used = sizeof(std::uint64_t) + json.size();
    json.append((kAlignment - used % kAlignment) % kAlignment, ' ');
    return json;
}

}  // namespace

void write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
    const std::string json = header(tensors, metadata);
    const std::uint64_t length = json.size();
    AtomicFile file(path);
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(json);
    for (const TensorView& tensor : tensors) file.write(tensor.bytes);
    file.commit();
}

}  // namespace whorl
