#include "core/base/error.hpp"

#include <algorithm>
#include <cctype>

namespace whorl {
namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment), in three rows.
std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before.swap(above);
        above.swap(row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

// A third of the letters may be wrong; a word of one letter is never "close" to another.
bool likely_typing_error(std::size_t distance, std::size_t word_length, std::size_t candidate_length) {
    return distance <= std::max(word_length, candidate_length) / 3 || (distance == 1 && word_length > 1);
}

constexpr std::size_t kLongestWord = 256;  // the distance costs the product of the lengths
constexpr std::size_t kListed = 12;

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
    if (word.size() > kLongestWord) return {};
    const std::string wanted = lower(word);
    std::string best;
    std::size_t best_distance = 0;
    for (const std::string& candidate : candidates) {
        if (candidate.size() > kLongestWord) continue;
        const std::size_t distance = edit_distance(wanted, lower(candidate));
        if (!likely_typing_error(distance, wanted.size(), candidate.size())) continue;
        if (best.empty() || distance < best_distance) best = candidate, best_distance = distance;
    }
    return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
    if (const std::string close = nearest(word, candidates); !close.empty()) return "; did you mean '" + close + "'?";
    if (candidates.empty()) return {};
    std::string list = "; choose one of ";
    const std::size_t shown = std::min(candidates.size(), kListed);
    for (std::size_t i = 0; i < shown; ++i) list += (i > 0 ? ", " : "") + candidates[i];
    if (candidates.size() > shown) list += " and " + std::to_string(candidates.size() - shown) + " more";
    return list;
}

}  // namespace whorl
