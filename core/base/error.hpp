// Errors people see: one clear line, then the exit status that belongs to it.
//
// UserError    bad usage or bad input; the program exits with 2 and nothing is left half-written.
// RuntimeFailure   the machine failed (disk full, file vanished, out of memory); exit 3.
// A message says what was wrong, where (file, line, key or flag), and what was expected; `hint` adds the nearest valid
// choice.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace whorl {

class UserError : public std::runtime_error {
public:
    explicit UserError(const std::string& message) : std::runtime_error(message) {}
};

class RuntimeFailure : public std::runtime_error {
public:
    explicit RuntimeFailure(const std::string& message) : std::runtime_error(message) {}
};

/// The candidate with the smallest edit distance to `word`; empty when none is close enough to be a likely typing
/// error.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "; did you mean 'x'?" for a close candidate, else "; choose one of a, b, c" (all of them, or the first dozen and a
/// count).
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace whorl
