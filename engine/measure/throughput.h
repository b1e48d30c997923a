// Frames that several threads read at once, each by itself.
#pragma once

#include <span>

#include "engine/measure/timing.h"
#include "lprnet/error.h"

namespace lprnet::measure {

// What one thread does with a frame, over and over.
class FrameWork {
public:
    virtual ~FrameWork() = default;
    virtual Status run() noexcept = 0;
};

// One thread for each of `workers`, which take frames from one counter until `frames` are done;
// each has done `warmup` before the clock starts. The first error of a worker, which does no more
// then; `invalid_argument` without workers or frames, `out_of_memory` if the system does not start
// so many threads.
Result<Latencies> throughput(std::span<FrameWork* const> workers, int frames, int warmup) noexcept;

}  // namespace lprnet::measure
