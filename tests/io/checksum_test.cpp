#include "core/io/checksum.hpp"

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

std::string of_text(const std::string& text) {
    return whorl::checksum(std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("checksums are XXH3-128, canonical digits", "[io]") {
    CHECK(of_text("") == "99aa06d3014798d86001c324468d497f");  // xxh128sum of nothing
}

TEST_CASE("a file has the checksum of its bytes", "[io]") {
    const TemporaryFolder folder;
    for (const std::size_t size : {0u, 1u, 240u, 1000u, 1048576u, 2500000u}) {
        std::string text(size, '\0');
        for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * i % 251);
        spill(folder / "f", text);
        CHECK(whorl::file_checksum(folder / "f") == of_text(text));
    }
    CHECK_THROWS_AS(whorl::file_checksum(folder / "none"), whorl::UserError);
}
