// Angles as people read them.
#pragma once

#include "core/numerics/rotation.hpp"

namespace whorl::viz {

inline constexpr double kPi = numerics::pi<double>;
inline constexpr double kDegrees = 180 / kPi;  // in a radian

}  // namespace whorl::viz
