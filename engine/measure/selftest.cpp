#include "engine/measure/selftest.h"

#include <cmath>
#include <cstddef>
#include <limits>

#include "engine/boundary.h"
#include "engine/measure/fingerprint.h"
#include "kernels/dispatch.h"

namespace lprnet::measure {
namespace {

// Sums of some thousand products in float32 against the reference's in double: an error of 1e-5
// is usual, one of 1e-3 a broken kernel.
constexpr double kMaxError = 1e-4;

double relative_error(const std::vector<float>& expected, const std::vector<float>& found) {
    if (expected.size() != found.size()) return std::numeric_limits<double>::infinity();
    double error = 0.0, size = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto e = static_cast<double>(expected[i]);
        error += (static_cast<double>(found[i]) - e) * (static_cast<double>(found[i]) - e);
        size += e * e;
    }
    return size > 0.0 ? std::sqrt(error / size) : error;
}

}  // namespace

void judge(TableCheck& check, const std::vector<float>& expected, const std::vector<float>& found,
           const std::string& stored) {
    check.error = relative_error(expected, found);
    if (check.precision == "int8") {
        check.fingerprint = fingerprint(found);
        if (check.fingerprint != fingerprint(expected)) {
            check.wrong = "other bits than the reference";
        } else if (!stored.empty() && stored != check.fingerprint) {
            check.wrong = "expected " + stored;
        }
    } else if (!(check.error <= kMaxError)) {
        check.wrong = "too far from the reference";
    }
}

Result<std::vector<TableCheck>> selftest(const Model& model, const weights::Metadata& metadata,
                                         Progress& progress) noexcept {
    return guarded([&]() -> Result<std::vector<TableCheck>> {
        const auto entry_of_file = metadata.find(kFingerprintKey);
        const std::string stored = entry_of_file != metadata.end() ? entry_of_file->second : "";
        const kernels::CpuFeatures cpu = kernels::detect_cpu_features();
        progress.begin(kernels::all_isas().size());
        std::vector<TableCheck> checks;
        std::vector<float> expected;
        for (const kernels::IsaEntry& entry : kernels::all_isas()) {  // "reference" is the first
            if (!progress.advance(1)) return stopped();
            if (!entry.supported(cpu)) continue;
            const Result<std::vector<float>> found = fingerprint_logits(model, *entry.table);
            if (!found) return found.error();
            if (expected.empty()) expected = *found;
            TableCheck check = {model.name(), model.precision(), entry.table->name, 0.0, "", ""};
            judge(check, expected, *found, stored);
            checks.push_back(check);
        }
        return checks;
    });
}

}  // namespace lprnet::measure
