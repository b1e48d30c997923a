// Entropy-coded scans of a JPEG file as coefficients (ITU-T T.81, annexes F.2 and G.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/image_file/jpeg_markers.h"
#include "lprnet/error.h"

namespace lprnet {

// 64 coefficients, by rows, not yet multiplied by their steps.
using JpegBlock = std::array<std::int16_t, 64>;

// Takes the blocks of sequential scans as they are decoded.
class BlockSink {
public:
    virtual ~BlockSink() = default;
    // Block (x, y) of a component, of which only coefficient 0 is not zero if `dc_only`.
    virtual void take(int component, int x, int y, const JpegBlock& block, bool dc_only) = 0;
};

// Decodes a sequential scan. The sink gets every block of the scan, or the result is an error:
// data that ends early, goes on in the wrong place or has no such code. May throw std::bad_alloc.
Status decode_sequential_scan(const JpegFile& file, const JpegScan& scan, BlockSink& sink);

// The blocks of all components while the scans of a progressive file refine them.
struct ProgressiveBlocks {
    // Of each component padded_wide * padded_high blocks, by rows.
    std::vector<std::vector<JpegBlock>> components;
};

// Applies a progressive scan. Errors as above. May throw std::bad_alloc.
Status decode_progressive_scan(const JpegFile& file, const JpegScan& scan,
                               ProgressiveBlocks& blocks);

}  // namespace lprnet
