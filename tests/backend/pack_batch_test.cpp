// pack_batch against plain sums.
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr std::int64_t kPackReplicas = 2, kPackLength = 9, kPackSlots = 2;  // kPackSlots: of a sequence

using Indices = std::vector<std::int32_t>;

/// A batch and what it must become.
struct PackCase {
    Indices tokens, row_of, starts, packed_tokens, packed_row_of;

    explicit PackCase(std::int64_t batch) {
        for (std::int64_t r = 0; r < kPackReplicas; ++r) {
            std::int32_t start = 0;
            for (std::int64_t b = 0; b < batch; ++b) add(b, (b * b + 5 * b + 3 * r) % (kPackLength + 1), start);
            starts.push_back(start);
            packed_tokens.resize(tokens.size(), -1);  // nothing is written there
        }
    }
    /// A sequence whose last supervised position is the length-th.
    void add(std::int64_t b, std::int64_t length, std::int32_t& start) {
        starts.push_back(start);
        for (std::int64_t t = 0; t < kPackLength; ++t) {
            tokens.push_back(static_cast<std::int32_t>(100 * b + t));
            if (t < length) packed_tokens.push_back(tokens.back());
        }
        for (std::int64_t slot = 0; slot < kPackSlots; ++slot) {
            const std::int64_t t = slot == 0 && length > 1 ? 0 : length - 1;
            const bool used = length > slot;
            row_of.push_back(used ? static_cast<std::int32_t>(b * kPackLength + t) : -1);
            packed_row_of.push_back(used ? start + static_cast<std::int32_t>(t) : -1);
        }
        start += static_cast<std::int32_t>(length);
    }
};

}  // namespace

TEST_CASE("pack_batch puts sequence behind sequence, however many there are", "[backend]") {
    for (Backend* backend : judged_backends()) {
        if (!backend->packs_batches()) continue;
        for (const std::int64_t batch : {1, 8, 9, 300, 777}) {
            INFO(backend->describe() << ", " << batch << " sequences");
            const PackCase expected(batch);
            Fixture fixture(*backend, DType::f32);
            const auto indices = [&](const char* name, std::int64_t lines, std::int64_t count) {
                return fixture.indices(name, {kPackReplicas, lines, 1, count});
            };
            const Tensor tokens = indices("tokens", batch, kPackLength),
                         row_of = indices("row_of", 1, batch * kPackSlots),
                         packed_tokens = indices("packed tokens", 1, batch * kPackLength),
                         packed_row_of = indices("packed row_of", 1, batch * kPackSlots);
            const auto starts_bytes = static_cast<std::int64_t>(4 * expected.starts.size());
            const Tensor starts = fixture.bytes("starts", starts_bytes);
            fixture.write(tokens, expected.tokens);
            fixture.write(row_of, expected.row_of);
            backend->pack_batch(tokens, row_of, {starts, packed_tokens, packed_row_of});
            Indices found(expected.starts.size());
            backend->download(found.data(), starts, starts_bytes);
            const auto numbers = [](const Indices& list) { return std::vector<double>(list.begin(), list.end()); };
            CHECK((found == expected.starts));
            CHECK((fixture.read(packed_tokens) == numbers(expected.packed_tokens)));
            CHECK((fixture.read(packed_row_of) == numbers(expected.packed_row_of)));
            CHECK(fixture.damage() == "");
        }
    }
}
