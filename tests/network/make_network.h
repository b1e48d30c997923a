// Networks of models, ready to run.
#pragma once

#include <algorithm>
#include <vector>
#include "tests/catch.h"

#include "engine/model/model_data.h"
#include "engine/run/network.h"
#include "lprnet/model.h"

namespace lprnet::test {

// Fails the test if there is no plan.
inline Network make_network(const Model& model, const kernels::KernelTable& table,
                            const PlanOptions& options = {}) {
    Result<Network> network = Network::create(model.data().graph, table, options);
    if (!network) FAIL(network.error().message);
    return std::move(*network);
}

inline std::vector<float> logits_of(const Network& network) {
    return {network.logits().begin(), network.logits().end()};
}

// The logits of an input in NHWC.
inline std::vector<float> run(Network& network, const std::vector<float>& input) {
    std::copy(input.begin(), input.end(), network.input().begin());
    network.run();
    return logits_of(network);
}

}  // namespace lprnet::test
