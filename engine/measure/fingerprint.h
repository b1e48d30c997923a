// What a quantized network answers to pictures that everybody can make: equal bits on every CPU,
// so that a hash of them tells whether a build computes what it should.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernels/kernel_table.h"
#include "lprnet/error.h"
#include "lprnet/model.h"

namespace lprnet::measure {

// Metadata of a file whose network is quantized; weights/FORMAT.md has the definition.
inline constexpr const char* kFingerprintKey = "lprnet.golden";

// The logits of all those pictures, one after the other, [time][class], from that table.
// `unsupported` as from build_plan.
Result<std::vector<float>> fingerprint_logits(const Model& model,
                                              const kernels::KernelTable& table) noexcept;

// "fnv1a64:" and 16 digits. May throw std::bad_alloc.
std::string fingerprint(std::span<const float> logits);

}  // namespace lprnet::measure
