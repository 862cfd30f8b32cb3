#include "core/io/checksum.hpp"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <memory>
#include <new>
#include <vector>

#include "core/io/descriptor.hpp"

namespace whorl {
namespace {

std::string hexadecimal(XXH128_hash_t hash) {
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

constexpr std::size_t kPiece = std::size_t{1} << 20;

struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

}  // namespace

std::string checksum(std::span<const std::byte> bytes) {
    return hexadecimal(XXH3_128bits(bytes.data(), bytes.size()));
}

std::string file_checksum(const std::string& path) {
    const Descriptor file = open_regular_file(path);
    const std::unique_ptr<XXH3_state_t, FreeState> state(XXH3_createState());
    if (state == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(state.get());
    std::vector<std::byte> piece(kPiece);
    std::uint64_t offset = 0;
    while (const std::size_t got = read_at(file, offset, piece, path)) {
        XXH3_128bits_update(state.get(), piece.data(), got);
        offset += got;
    }
    return hexadecimal(XXH3_128bits_digest(state.get()));
}

}  // namespace whorl
