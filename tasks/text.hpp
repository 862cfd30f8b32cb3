// Text: the bytes of a file, the next one asked for at each of them.
//
// Tokens: 0 PAD, 1+b the byte b. An example has the largest size that is asked for: of size s, s bytes in a row from a
// uniform offset, the first s-1 as inputs, the last s-1 as targets. The file is split by offset: its last `test` share
// is the test split, the `validation` share before it the validation split, the rest is trained on. A split that is
// shorter than an example is read round.
//
// Without a file the bytes are a stand-in of known entropy: 4 MiB of nested brackets ()[]{}<>, at most 8 deep. At depth
// 0 one of the four opens, at depth 8 the last one closes, and in between either is equally likely. The walk is at
// depth 0 and 8 a sixteenth of the time each, at every other depth an eighth, so a byte has 2/16 + 7/8·(1 + 2/2)
// = 1.875 bits for a reader who knows what is open.
#pragma once

#include <memory>
#include <vector>

#include "tasks/example.hpp"
#include "tasks/task.hpp"

namespace whorl {

/// Consecutive bytes of each split (by its number), where the host or a device can read them.
struct TextView {
    static constexpr int kSplits = 3;

    const std::uint8_t* bytes = nullptr;
    std::int64_t begin[kSplits] = {}, count[kSplits] = {};

    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const {
        Random random = key.random();
        const std::int64_t size = key.sizes.max, split = static_cast<std::int64_t>(key.split);
        const std::uint8_t* from = bytes + begin[split];
        const std::int64_t length = count[split], offsets = length > size ? length - size + 1 : length;
        std::int64_t at = random.below(static_cast<std::uint32_t>(offsets));
        for (std::int64_t i = 0; i < size; ++i) {
            const std::int32_t token = 1 + from[at];
            if (i > 0) out.targets[i - 1] = token;
            if (i < size - 1) out.tokens[i] = token;
            if (++at == length) at = 0;
        }
        pad_sample(out, size - 1);
        return size - 1;
    }
};

struct ByteText {
    static constexpr int kVersion = 1;
    static constexpr bool kInBits = true;
    static constexpr std::int32_t kFirst = 1, kBytes = 256;

    std::string file;      // empty: the stand-in
    std::string checksum;  // of the file; given, it must be this one
    double validation = 0.05, test = 0.05;
    std::int64_t smallest = 2;                               // the least that a range of sizes may begin with
    std::shared_ptr<const std::vector<std::uint8_t>> bytes;  // null before open()

    /// Reads the file, and its checksum or, where one is set, compares it. Throws UserError, naming the key of `value`,
    /// the table that this was read from, at `place`.
    void open(const Value& value, const Place& place);
    /// Of the stand-in where nothing was opened.
    TextView view() const;

    std::int64_t vocabulary() const { return kFirst + kBytes; }
    double chance() const { return 1.0 / kBytes; }
    std::int64_t min_size() const { return smallest; }
    std::int64_t positions(std::int64_t size) const { return size - 1; }
    std::int64_t slots(std::int64_t length) const { return length; }
    std::int64_t answers() const { return 0; }
    std::int64_t answer_tokens() const { return 1; }
    std::int64_t generate(const SampleKey& key, const SampleView& out) const { return view().generate(key, out); }
    std::string token_text(std::int32_t token) const;
    std::string example_text(const Example& example) const;
    static const char* about();
};

constexpr const char* config_type(const ByteText&) {
    return "text";
}

template <class V>
void describe(V& v, ByteText& c) {
    v.field("file", c.file);
    v.field("checksum", c.checksum);
    v.field("validation", c.validation, above(0).below(1));
    v.field("test", c.test, above(0).below(1));
    v.field("min_size", c.smallest, range(2, kLargestTaskSize));
    v.require(c.validation + c.test < 1, "test", "leaves nothing to train on beside that share for validation");
    v.require(c.checksum.empty() || !c.file.empty(), "checksum", "is a file's: name the file");
}

}  // namespace whorl
