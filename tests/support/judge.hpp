// The checks that every operation passes, whatever it computes. Each runs on all judged backends.
#pragma once

#include "tests/support/operation.hpp"

namespace whorl::test {

/// Metric: gap between ⟨gradient, u⟩ and the four-point central difference along u, over ‖gradient‖·rms(u), the norm
/// floored at 10⁻³ of the operation's largest. Truncation is h⁴L⁽⁵⁾/30, rounding about 10⁻¹⁶/h of the values: the first
/// step suits smooth places, the smaller ones those beside a norm's zero or a kink. A gradient that is off fits none of
/// them.
inline constexpr double kDifferenceSteps[] = {5e-4, 1e-4, 2e-5};
inline constexpr double kDifferenceLimit = 2e-9;
/// Two algorithms for one recurrence, in double (contract of the models: e = ‖a-b‖/‖b‖).
inline constexpr double kDoubleLimit = 1e-10;
/// The same in float, × max(1, L/256): outputs, and gradients.
inline constexpr double kFloatOutputLimit = 2e-5, kFloatGradientLimit = 1e-4;
/// Gradient norms are floored at this share of the largest one. 10⁻³ is the contract's, with the largest of a whole
/// model. One operation alone needs more in float: dt_bias of a single head is one sum that may cancel to 10⁻⁴ of its
/// terms, and under a decay of e^-50 the angles' gradients are rounding and nothing else.
inline constexpr double kDoubleFloor = 1e-3, kFloatFloor = 5e-2;
/// An operation of one or two sums against plain loops in double: some roundings of sums of at most a few hundred
/// terms.
inline constexpr double kReferenceLimit = 1e-13;

/// The backward pass equals central differences along random directions of each input, overwrites or accumulates as
/// promised, and neither pass touches or reads memory outside the tensors.
void check_gradients(const Operation& operation, std::uint64_t seed = 1);
void check_gradients(const Operation& operation, const Values& values);

/// Float agrees with double from the same numbers.
void check_float(const Operation& operation, std::int64_t length, std::uint64_t seed = 1);

/// Replica r of three has the bits it has alone; 1, 2 and 3 threads and a second run give the same bits.
void check_same_bits(const Operation& operation, std::uint64_t seed = 1);

/// With activations stored in bf16, a GPU gives the bits of the same run in float from numbers that bf16 holds, its
/// activations then rounded; parameters' gradients are the same.
void check_stored(const Operation& operation, std::uint64_t seed = 1, std::int64_t replicas = 2);

/// All of the above.
void check_operation(const Operation& operation, std::uint64_t seed = 1);

/// y of the operation in double equals `reference`.
void check_reference(const Operation& operation, const Values& values, const std::vector<double>& reference,
                     double limit = kReferenceLimit);

/// Every form gives the same outputs and gradients as the recurrent one in double, within the contract's limits.
void check_forms(const Maker& maker, std::int64_t length, const std::vector<FormChoice>& forms, std::uint64_t seed = 1,
                 std::int64_t replicas = 1);

/// Every backend, in float and in double, gives the first one's outputs and gradients in double (the contract between
/// CPU and GPU; on the CPU alone, between float and double); and check_stored.
void check_backends(const Operation& operation, std::int64_t length, std::uint64_t seed = 1, std::int64_t replicas = 1);

/// A carried state over these parts gives the outputs of the whole sequence. `in_float`: also in float.
void check_parts(const Maker& maker, const std::vector<std::int64_t>& parts, std::uint64_t seed = 1,
                 bool in_float = true);

}  // namespace whorl::test
