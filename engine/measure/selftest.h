// Whether every instruction set of this CPU computes what the reference does.
#pragma once

#include <string>
#include <vector>

#include "engine/measure/progress.h"
#include "lprnet/error.h"
#include "lprnet/model.h"
#include "weights/safetensors.h"

namespace lprnet::measure {

// One network on one kernel table.
struct TableCheck {
    std::string model, precision, isa;
    double error = 0.0;       // relative, of the logits
    std::string fingerprint;  // of a network in int8, else empty
    std::string wrong;        // what is; empty: all is well
};

// On every table that the CPU has, the reference first. `metadata` are those of the model's file
// (open_model_file()), which may have its fingerprint. Errors as fingerprint_logits().
Result<std::vector<TableCheck>> selftest(const Model& model, const weights::Metadata& metadata,
                                         Progress& progress) noexcept;

// Against `expected`, the reference's logits. `stored` is the fingerprint of the file; empty if it
// has none. Fills in what the logits decide. May throw std::bad_alloc.
void judge(TableCheck& check, const std::vector<float>& expected, const std::vector<float>& found,
           const std::string& stored);

}  // namespace lprnet::measure
