// Times of a network, and what quantization did to one, layer by layer.
#pragma once

#include <string>
#include <vector>

#include "engine/measure/quantization.h"
#include "engine/measure/score.h"
#include "engine/measure/timing.h"
#include "engine/report/page.h"

namespace lprnet::report {

struct TimedThreads {
    int threads = 1;
    measure::Latencies times;
};
struct TimedLayer {
    std::string name, kernel;
    double milliseconds = 0.0;
    double gmacs = 0.0;  // GMAC/s; 0: it multiplies nothing
};

// `layers` may be empty. Errors as Page::write(), here and below. May throw std::bad_alloc.
Status write_bench_page(const std::string& path, const std::vector<Fact>& facts,
                        const std::vector<TimedThreads>& times,
                        const std::vector<TimedLayer>& layers);

// `evaluations`: before and after, or none.
Status write_quantize_page(const std::string& path, const std::vector<Fact>& facts,
                           const measure::QuantizationReport& report,
                           const std::vector<measure::Evaluation>& evaluations);

}  // namespace lprnet::report
