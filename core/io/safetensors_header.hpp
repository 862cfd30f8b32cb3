// The JSON header of a safetensors file, checked in every respect that the header alone and the data's size allow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/safetensors.hpp"

namespace whorl {

struct SafetensorsHeader {
    std::vector<StoredTensor> tensors;  // in the order of their data
    std::map<std::string, std::string> metadata;
};

/// Throws UserError `path: what`. `data_bytes` is the size of the file after the header.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes, const std::string& path);

}  // namespace whorl
