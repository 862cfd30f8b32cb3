// Token sequences that a user hands in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace whorl {

/// Sequences, one behind the other, each filled up to the longest with token 0: what follows a sequence changes none
/// of its answers.
struct TokenBatch {
    std::int64_t batch = 0, length = 0;
    std::vector<std::int32_t> tokens;     // [batch, length]
    std::vector<std::int64_t> lengths{};  // [batch]

    /// Whether some sequence is shorter than the longest.
    bool ragged() const;
};

/// From a safetensors file (tensor `tokens`, integers [batch, length] or [length]) or a text file with one sequence a
/// line, numbers apart by spaces or commas. Throws UserError, with the line, for anything else: a token outside
/// 0..vocabulary-1, nothing at all, and lines so uneven that filling them up would take 2^28 tokens or more.
TokenBatch read_tokens(const std::string& path, std::int64_t vocabulary);

/// The same from one line of text; `where` begins each message.
std::vector<std::int32_t> parse_tokens(const std::string& text, std::int64_t vocabulary, const std::string& where);

/// The value of a --tokens that takes one sequence: "1 2 1" itself, or the only sequence of the file so named. Throws
/// UserError as the two above, for no token, and for several sequences.
std::vector<std::int32_t> one_sequence(const std::string& text, std::int64_t vocabulary);

/// The tokens whose texts follow one another in `text`, blanks left aside; of several that fit the longest is taken.
/// `texts[v]` is token v's. Throws UserError naming --text and the place where none fits.
std::vector<std::int32_t> tokens_of_text(const std::string& text, const std::vector<std::string>& texts);

}  // namespace whorl
