// The element types of safetensors files. (What the program computes in is the backend's own DType.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace whorl {

enum class StoredType { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean };

std::size_t byte_size(StoredType type);
/// The name in the file, such as "F32".
const char* name_of(StoredType type);
std::optional<StoredType> stored_type(std::string_view name);
/// All names, for messages.
std::vector<std::string> stored_type_names();

/// The StoredType of a C++ element type.
template <class T>
constexpr StoredType stored_type_of() {
    if constexpr (std::is_same_v<T, double>)
        return StoredType::f64;
    else if constexpr (std::is_same_v<T, float>)
        return StoredType::f32;
    else if constexpr (std::is_same_v<T, std::int64_t>)
        return StoredType::i64;
    else if constexpr (std::is_same_v<T, std::int32_t>)
        return StoredType::i32;
    else if constexpr (std::is_same_v<T, std::uint8_t>)
        return StoredType::u8;
    else
        static_assert(!sizeof(T), "no stored type for this element type");
}

}  // namespace whorl
