// What a pair made by hand says about the number of ones: the mark that its readout is nearest to.
//
// Nothing is fitted. Mark k is the readout behind k ones, the first time that they are counted; an answer to any text
// is the number of the nearest mark. So one 1 tells the reader how far "odd" is, and all that comes later has to come
// back.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "viz/data/hand_pair.hpp"

namespace whorl::viz {

/// The readout behind 0, 1 … modulus - 1 ones.
std::vector<double> marks_of(const HandPair& pair, int modulus);

/// The mark nearest to `readout`; where two are as near, to a billionth of their span, the lower number: what cannot be
/// told apart is no answer.
int answer_of(const std::vector<double>& marks, double readout);

/// Where answers change between neighbouring marks, ascending.
std::vector<double> borders_of(std::vector<double> marks);

struct CountedOnes {
    std::vector<int> right, said;  // mod modulus, behind each bit
    std::vector<double> readouts;  // y, the same
    std::optional<std::size_t> first_wrong() const;
};
CountedOnes count_ones(const HandPair& pair, const std::vector<int>& bits, int modulus);

/// The shortest text of ones alone, of at most `most`, that is answered wrongly: its length; none if there is none.
std::optional<std::size_t> first_wrong_ones(const HandPair& pair, int modulus, std::size_t most);

}  // namespace whorl::viz
