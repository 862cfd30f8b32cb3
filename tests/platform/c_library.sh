#!/usr/bin/env bash
# No elementary function of the C library reaches a training: their last bits differ between its versions. What may call
# them has no part in one: the reference solutions of differential equations, and the bounds of a gate's pass rate.
set -euo pipefail

if [[ -n ${WHORL_SANITIZE:-} ]]; then exit 77; fi
libraries=("$(dirname "$WHORL_BINARY")"/libwhorl_{core,commands}.a)
functions='(c?(exp|log|pow|sqrt|sin|cos|tan|sinh|cosh|tanh)|exp2|exp10|expm1|log2|log10|log1p|sincos|asin|acos|atan|atan2|cbrt|hypot|erf|erfc|lgamma|tgamma|fma|asinh|acosh|atanh)[fl]?(_r)?'
calls=$(nm -A -u "${libraries[@]}" 2>/dev/null | grep -E " U (__)?$functions(@.*)?\$" || true)
grep -q 'linear_ode\.cpp\.o: .* U cexp' <<<"$calls"  # the search itself works
callers=$(grep -vE '(linear_ode|binomial)\.cpp\.o:' <<<"$calls" || true)
if [[ -n $callers ]]; then
    echo "$callers"
    exit 1
fi
