// A second opinion on the whole network: the graph as read from the file, node by
// node with Eigen in double precision, nothing folded, fused or moved.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/model/graph.h"

namespace lprnet::test {

// [c][h][w]
struct OracleTensor {
    Shape shape;
    std::vector<double> values;
    double scale = 0.0;                // of a quantized tensor: all values are multiples of it
    std::vector<double> factors = {};  // of a quantized tensor: Node::output_factor, for comparing
};

// The output of every node by name; `input` is in PyTorch's order, [c][h][w].
std::map<std::string, OracleTensor> run_oracle(const Graph& graph,
                                               const std::vector<double>& input);

}  // namespace lprnet::test
