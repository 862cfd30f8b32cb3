#include "core/io/toml_file.hpp"

#include "core/io/atomic_file.hpp"

namespace whorl {

Document load_toml(const std::string& path) {
    return parse_toml(read_text_file(path, kMaxConfigBytes), path);
}

}  // namespace whorl
