// Fuzz target for tuning files: what is accepted says the same when it is written and read again.
#include "engine/plan/tuning.h"

#include "kernels/dispatch.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lprnet;
using fuzz::check;

bool same(const Tuning& a, const Tuning& b) {
    return a.cpu == b.cpu && a.isa == b.isa && a.every == b.every && a.choices == b.choices;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::as_text(data, size);
    const Result<Tuning> tuning = parse_tuning(text, "t");
    if (!tuning) {
        fuzz::check_error(tuning.error());
        return 0;
    }
    ++fuzz::accepted;
    const Result<Tuning> again = parse_tuning(tuning_text(*tuning), "t");
    check(again.ok() && same(*tuning, *again), "a tuning differs when it is written and read");
    const kernels::KernelTable& table = *kernels::find_isa("reference")->table;
    for (const auto& [shape, algorithm] : tuning->choices)
        check(tuning->choose(shape, table) == algorithm, "a choice is not taken");
    // A convolution of the network, which an input may name.
    (void)tuning->choose({.ic = 64, .oc = 64, .kh = 3, .kw = 1, .oh = 18, .ow = 44}, table);
    return 0;
}
