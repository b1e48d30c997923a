// How whoever waits for a measurement sees it go on, and stops it.
#pragma once

#include <cstddef>

#include "lprnet/error.h"

namespace lprnet::measure {

// This one shows nothing and never stops. Called on the thread that asked for the measurement.
class Progress {
public:
    virtual ~Progress() = default;
    // The work has so many parts, about.
    virtual void begin(std::size_t /*parts*/) {}
    // So many more are done or begun; also called with 0, at least with each image. False stops the
    // work, and the measurement returns stopped().
    virtual bool advance(std::size_t /*parts*/) { return true; }
};

inline Error stopped() {
    return {ErrorCode::invalid_argument, "stopped"};
}

}  // namespace lprnet::measure
