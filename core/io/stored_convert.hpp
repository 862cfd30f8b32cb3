// Elements as they lie in a file → elements to compute with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/io/stored_type.hpp"

namespace whorl {

/// IEEE binary16 and bfloat16 bits to float: exact.
float half_to_float(std::uint16_t bits);
float bfloat16_to_float(std::uint16_t bits);

/// Converts out.size() elements of `type` in `bytes` (little-endian, any alignment). T: double, float, std::int64_t,
/// std::int32_t. Throws UserError, its message beginning with `where`, when a value does not fit (see SafetensorsFile).
template <class T>
void convert(StoredType type, std::span<const std::byte> bytes, std::span<T> out, const std::string& where);

}  // namespace whorl
