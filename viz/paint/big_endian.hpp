// Bytes of a font file: numbers with their highest byte first.
#pragma once

#include <cstdint>
#include <string>

namespace whorl::plot {

class BigEndian {
public:
    BigEndian& u8(unsigned value) {
        bytes_ += static_cast<char>(value & 0xFFu);
        return *this;
    }
    BigEndian& u16(unsigned value) { return u8(value >> 8).u8(value); }
    BigEndian& u32(std::uint32_t value) { return u16(value >> 16).u16(value & 0xFFFFu); }
    BigEndian& s16(int value) { return u16(static_cast<unsigned>(value) & 0xFFFFu); }
    BigEndian& text(const std::string& text) {
        bytes_ += text;
        return *this;
    }
    /// Zeros up to the next multiple of `size`.
    BigEndian& align(std::size_t size) {
        while (bytes_.size() % size != 0) bytes_ += '\0';
        return *this;
    }
    std::size_t size() const { return bytes_.size(); }
    const std::string& bytes() const { return bytes_; }

private:
    std::string bytes_;
};

}  // namespace whorl::plot
