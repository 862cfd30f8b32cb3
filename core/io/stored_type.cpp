#include "core/io/stored_type.hpp"

#include <array>

namespace whorl {
namespace {

struct TypeInfo {
    const char* name;
    std::size_t bytes;
};

// In the order of the enum.
constexpr std::array<TypeInfo, 13> kTypes{{{"F64", 8},
                                           {"F32", 4},
                                           {"F16", 2},
                                           {"BF16", 2},
                                           {"I64", 8},
                                           {"I32", 4},
                                           {"I16", 2},
                                           {"I8", 1},
                                           {"U64", 8},
                                           {"U32", 4},
                                           {"U16", 2},
                                           {"U8", 1},
                                           {"BOOL", 1}}};

}  // namespace

std::size_t byte_size(StoredType type) {
    return kTypes[static_cast<std::size_t>(type)].bytes;
}

const char* name_of(StoredType type) {
    return kTypes[static_cast<std::size_t>(type)].name;
}

std::optional<StoredType> stored_type(std::string_view name) {
    for (std::size_t i = 0; i < kTypes.size(); ++i)
        if (name == kTypes[i].name) return static_cast<StoredType>(i);
    return std::nullopt;
}

std::vector<std::string> stored_type_names() {
    std::vector<std::string> names;
    for (const TypeInfo& type : kTypes) names.emplace_back(type.name);
    return names;
}

}  // namespace whorl
