// Where the tests find what they read and run. Defined in one file, so that the others are compiled alike wherever the
// sources lie.
#pragma once

#include <string>

/// A path below tests/data.
std::string test_data(const std::string& path);
/// A path below the project's folder.
std::string source_file(const std::string& path);
/// The built program.
std::string program();
