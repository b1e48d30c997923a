// A test double: libdnn without one of its functions, the one that is defined as `absent` on the
// command line. The others are there to be found, not to be called.
#include "engine/bpu/dnn_abi.h"

#define LPRNET_DNN_DEFINE(name, symbol, ...) \
    extern "C" __attribute__((visibility("default"))) void symbol() {}
LPRNET_DNN_FUNCTIONS(LPRNET_DNN_DEFINE)
