#include "core/io/stored_convert.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "safetensors files are little-endian; elements are copied as they are");

struct Half {
    std::uint16_t bits;
};
struct Bfloat16 {
    std::uint16_t bits;
};
struct Boolean {
    std::uint8_t byte;
};

// The number an element stands for, in a type that holds it exactly.
float number(Half h) {
    return half_to_float(h.bits);
}
float number(Bfloat16 b) {
    return bfloat16_to_float(b.bits);
}
int number(Boolean b) {
    return b.byte != 0;
}
template <class S>
S number(S s) {
    return s;
}

// Integers of floating types are exact up to 2^digits.
template <class T, class S>
bool integer_fits(S value) {
    if constexpr (std::is_floating_point_v<T>) {
        const auto limit = std::int64_t{1} << std::numeric_limits<T>::digits;
        return value <= S(limit < std::numeric_limits<S>::max() ? limit : std::numeric_limits<S>::max()) &&
               (std::is_unsigned_v<S> || static_cast<std::int64_t>(value) >= -limit);
    } else {
        if (std::is_signed_v<S>)
            return static_cast<std::int64_t>(value) >= std::numeric_limits<T>::min() &&
                   static_cast<std::int64_t>(value) <= std::numeric_limits<T>::max();
        return static_cast<std::uint64_t>(value) <= static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    }
}

template <class T, class S>
T checked(S value, const std::string& where) {
    const T converted = static_cast<T>(value);
    bool fits = true;
    if constexpr (std::is_integral_v<S>)
        fits = integer_fits<T>(value);
    else
        fits = std::isfinite(converted) || !std::isfinite(value);
    if (!fits) throw UserError(one_line(where + fmt::format(": the value {} does not fit the wanted type", value)));
    return converted;
}

template <class Element, class T>
void convert_all(std::span<const std::byte> bytes, std::span<T> out, const std::string& where) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        Element element;
        std::memcpy(&element, bytes.data() + i * sizeof(Element), sizeof(Element));
        out[i] = checked<T>(number(element), where);
    }
}

template <class Element, class T>
void convert_floating(std::span<const std::byte> bytes, std::span<T> out, const std::string& where) {
    if constexpr (std::is_floating_point_v<T>)
        convert_all<Element>(bytes, out, where);
    else
        throw UserError(one_line(where + ": holds floating-point numbers, expected integers"));
}

}  // namespace

float bfloat16_to_float(std::uint16_t bits) {
    const std::uint32_t wide = std::uint32_t{bits} << 16;
    float value;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

float half_to_float(std::uint16_t bits) {
    const int exponent = bits >> 10 & 0x1F;
    const int fraction = bits & 0x3FF;
    float magnitude;
    if (exponent == 0)
        magnitude = std::ldexp(static_cast<float>(fraction), -24);
    else if (exponent < 31)
        magnitude = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
    else if (fraction == 0)
        magnitude = std::numeric_limits<float>::infinity();
    else
        magnitude = std::numeric_limits<float>::quiet_NaN();
    return bits & 0x8000 ? -magnitude : magnitude;
}

template <class T>
void convert(StoredType type, std::span<const std::byte> bytes, std::span<T> out, const std::string& where) {
    switch (type) {
        case StoredType::f64:
            return convert_floating<double>(bytes, out, where);
        case StoredType::f32:
            return convert_floating<float>(bytes, out, where);
        case StoredType::f16:
            return convert_floating<Half>(bytes, out, where);
        case StoredType::bf16:
            return convert_floating<Bfloat16>(bytes, out, where);
        case StoredType::i64:
            return convert_all<std::int64_t>(bytes, out, where);
        case StoredType::i32:
            return convert_all<std::int32_t>(bytes, out, where);
        case StoredType::i16:
            return convert_all<std::int16_t>(bytes, out, where);
        case StoredType::i8:
            return convert_all<std::int8_t>(bytes, out, where);
        case StoredType::u64:
            return convert_all<std::uint64_t>(bytes, out, where);
        case StoredType::u32:
            return convert_all<std::uint32_t>(bytes, out, where);
        case StoredType::u16:
            return convert_all<std::uint16_t>(bytes, out, where);
        case StoredType::u8:
            return convert_all<std::uint8_t>(bytes, out, where);
        case StoredType::boolean:
            return convert_all<Boolean>(bytes, out, where);
    }
}

template void convert(StoredType, std::span<const std::byte>, std::span<double>, const std::string&);
template void convert(StoredType, std::span<const std::byte>, std::span<float>, const std::string&);
template void convert(StoredType, std::span<const std::byte>, std::span<std::int64_t>, const std::string&);
template void convert(StoredType, std::span<const std::byte>, std::span<std::int32_t>, const std::string&);

}  // namespace whorl
