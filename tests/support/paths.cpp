#include "tests/support/paths.hpp"

std::string test_data(const std::string& path) {
    return WHORL_TEST_DATA "/" + path;
}
std::string source_file(const std::string& path) {
    return WHORL_SOURCE_DIR "/" + path;
}
std::string program() {
    return WHORL_BINARY;
}
