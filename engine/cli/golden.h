// What a quantized network answers to pictures that everybody can make: equal bits on every CPU,
// so that a hash of them tells whether a build computes what it should.
#pragma once

#include <string>
#include <vector>

#include "engine/model/model_data.h"
#include "kernels/kernel_table.h"
#include "lprnet/error.h"
#include "lprnet/model.h"

namespace lprnet::cli {

// Metadata of a file whose network is quantized; weights/FORMAT.md has the definition.
inline constexpr const char* kGoldenKey = "lprnet.golden";

// The logits of all golden pictures, one after the other, [step][class], from that table.
// `unsupported` as from build_plan.
Result<std::vector<float>> golden_logits(const Model& model, const kernels::KernelTable& table);

// "fnv1a64:" and 16 digits.
std::string golden_hash(const std::vector<float>& logits);

}  // namespace lprnet::cli
