// The stand-in for libdnn as the tests of the adapter see it.
#pragma once

#include <string>

#include "engine/bpu/dnn_abi.h"
#include "tests/bpu/dnn_stand_in.h"

namespace lprnet::test {

// The library that bpu::RecognizerOptions names, with the settings of dnn_stand_in.h.
class StandIn {
public:
    explicit StandIn(const std::string& settings = "");
    ~StandIn();

    static std::string path();
    StandInCounts counts() const;
    // What the first misuse was; empty if there was none.
    std::string misuse() const;
    // Changes the properties of every tensor that is loaded from now on.
    void edit(void (*edit)(bpu::abi::TensorProperties& properties, bool output, int index));
    // Fails the test if anything is left or was misused.
    void check_nothing_left() const;
};

}  // namespace lprnet::test
