#include "app/inference/tokens.hpp"

#include <algorithm>
#include <charconv>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/safetensors.hpp"

namespace whorl {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 28;
constexpr std::int64_t kMostTokens = std::int64_t{1} << 28;

void check_range(std::int64_t token, std::int64_t vocabulary, const std::string& where) {
    if (token < 0 || token >= vocabulary)
        throw UserError(where + ": token " + std::to_string(token) + " is not in 0.." + std::to_string(vocabulary - 1));
}

TokenBatch read_stored(const std::string& path, std::int64_t vocabulary) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    const std::vector<std::int64_t> shape = file.at("tokens").shape;
    if (shape.empty() || shape.size() > 2)
        throw UserError(path + ": tokens: expected the shape [batch, length] or [length]");
    TokenBatch batch{shape.size() == 2 ? shape[0] : 1, shape.back(), file.read_as<std::int32_t>("tokens"), {}};
    if (batch.batch < 1 || batch.length < 1) throw UserError(path + ": tokens: holds none");
    for (const std::int32_t token : batch.tokens) check_range(token, vocabulary, path + ": tokens");
    batch.lengths.assign(static_cast<std::size_t>(batch.batch), batch.length);
    return batch;
}

// Rows of different lengths, one behind the other in `tokens`, become rows of the longest's.
void fill_up(TokenBatch& batch, const std::string& path) {
    batch.batch = static_cast<std::int64_t>(batch.lengths.size());
    batch.length = *std::max_element(batch.lengths.begin(), batch.lengths.end());
    if (!batch.ragged()) return;
    if (batch.length >= kMostTokens / batch.batch)
        throw UserError(path + ": the longest of " + std::to_string(batch.batch) + " lines has " +
                        std::to_string(batch.length) +
                        " tokens; to fill all up to it takes too much: sort them by length into several files");
    std::vector<std::int32_t> filled(static_cast<std::size_t>(batch.batch * batch.length), 0);
    auto from = batch.tokens.begin();
    for (std::size_t b = 0; b < batch.lengths.size(); ++b) {
        const auto to = filled.begin() + static_cast<std::ptrdiff_t>(b) * batch.length;
        std::copy_n(from, batch.lengths[b], to);
        from += batch.lengths[b];
    }
    batch.tokens = std::move(filled);
}

}  // namespace

bool TokenBatch::ragged() const {
    return std::any_of(lengths.begin(), lengths.end(), [this](std::int64_t one) { return one < length; });
}

std::vector<std::int32_t> parse_tokens(const std::string& text, std::int64_t vocabulary, const std::string& where) {
    std::vector<std::int32_t> tokens;
    const char *at = text.data(), *end = at + text.size();
    while (true) {
        while (at != end && (*at == ' ' || *at == ',' || *at == '\t' || *at == '\r')) ++at;
        if (at == end) return tokens;
        const char* word_end = at;
        while (word_end != end && *word_end != ' ' && *word_end != ',' && *word_end != '\t' && *word_end != '\r')
            ++word_end;
        std::int64_t token = 0;
        const auto [stop, error] = std::from_chars(at, word_end, token);
        if (error != std::errc() || stop != word_end)
            throw UserError(where + ": " + in_quotes(std::string(at, word_end)) + " is no token number");
        check_range(token, vocabulary, where);
        tokens.push_back(static_cast<std::int32_t>(token));
        at = word_end;
    }
}

TokenBatch read_tokens(const std::string& path, std::int64_t vocabulary) {
    if (path.size() > 12 && path.compare(path.size() - 12, 12, ".safetensors") == 0)
        return read_stored(path, vocabulary);
    const std::string text = read_text_file(path, kMostBytes);
    TokenBatch batch;
    std::int64_t line = 1;
    for (std::size_t begin = 0; begin < text.size(); ++line) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string where = path + ":" + std::to_string(line);
        const std::vector<std::int32_t> row = parse_tokens(text.substr(begin, end - begin), vocabulary, where);
        begin = end + 1;
        if (row.empty()) continue;
        batch.lengths.push_back(static_cast<std::int64_t>(row.size()));
        batch.tokens.insert(batch.tokens.end(), row.begin(), row.end());
    }
    if (batch.lengths.empty()) throw UserError(path + ": holds no tokens");
    fill_up(batch, path);
    return batch;
}

std::vector<std::int32_t> one_sequence(const std::string& text, std::int64_t vocabulary) {
    const bool numbers = text.find_first_not_of("0123456789 ,\t-") == std::string::npos;
    if (numbers) {
        std::vector<std::int32_t> tokens = parse_tokens(text, vocabulary, "--tokens");
        if (tokens.empty()) throw UserError("--tokens: expected at least one token");
        return tokens;
    }
    TokenBatch batch = read_tokens(text, vocabulary);
    if (batch.batch != 1) throw UserError(text + ": holds " + std::to_string(batch.batch) + " sequences; expected one");
    return std::move(batch.tokens);
}

std::vector<std::int32_t> tokens_of_text(const std::string& text, const std::vector<std::string>& texts) {
    std::vector<std::int32_t> tokens;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == ' ' || text[at] == '\t') {
            ++at;
            continue;
        }
        std::size_t best = texts.size();
        for (std::size_t v = 0; v < texts.size(); ++v)
            if (!texts[v].empty() && text.compare(at, texts[v].size(), texts[v]) == 0 &&
                (best == texts.size() || texts[v].size() > texts[best].size()))
                best = v;
        if (best == texts.size())
            throw UserError("--text: no token begins with " + in_quotes(text.substr(at, 1)) + " (character " +
                            std::to_string(at + 1) + ")" + suggestion(text.substr(at, 1), texts));
        tokens.push_back(static_cast<std::int32_t>(best));
        at += texts[best].size();
    }
    if (tokens.empty()) throw UserError("--text: expected at least one token");
    return tokens;
}

}  // namespace whorl
