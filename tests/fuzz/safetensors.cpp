// Any bytes are either a valid safetensors file, whose every tensor can then be read, or a UserError of one line.
#include "core/io/safetensors.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/error.hpp"

namespace {

void demand(bool holds) {
    if (!holds) std::abort();
}

template <class T>
void read_all(const whorl::SafetensorsFile& file) {
    for (const whorl::StoredTensor& tensor : file.tensors()) {
        try {
            demand(file.read_as<T>(tensor.name).size() == static_cast<std::size_t>(tensor.count()));
        } catch (const whorl::UserError&) {
            // a value that T cannot hold
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto file = whorl::SafetensorsFile::parse(std::as_bytes(std::span(data, size)), "input");
        std::uint64_t end = 0;
        for (const whorl::StoredTensor& tensor : file.tensors()) {
            demand(tensor.begin == end && tensor.end >= end && &file.at(tensor.name) == &tensor);
            end = tensor.end;
        }
        demand(end <= size);
        read_all<double>(file);
        read_all<std::int32_t>(file);
    } catch (const whorl::UserError& error) {
        demand(std::string(error.what()).find('\n') == std::string::npos);
    }
    return 0;
}
