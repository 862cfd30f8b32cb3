// Bytes as text that stands in a document.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace whorl::plot {

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

/// Back again; empty for what base64 does not write.
std::optional<std::string> bytes_of_base64(std::string_view text);

}  // namespace whorl::plot
