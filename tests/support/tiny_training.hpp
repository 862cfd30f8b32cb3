// A training from the command line for tests of what stands around it.
#pragma once

#include <string>

/// What follows `whorl`; --out is to be added. Small enough for a second, with everything that a run can have: three
/// replicas, checkpoints at the steps 9, 18, 27 and 30.
inline const std::string kTiny =
    "train parity-quick --threads 1 --set steps=30 --set batch=4 --set model.d_model=16 --set model.d_state=8 --set "
    "log_every=7 --set validation.every=10 --set validation.sizes=[8] --set validation.count=16 --set "
    "test.sizes=[8,12] "
    "--set test.count=16 --set curriculum.end=12 --set checkpoint.every=9 --set checkpoint.keep=100 --replicas 1 ";
