// Rows of a JPEG picture from the samples of its components: chroma at full size, then colors, as
// libjpeg rounds both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/image_file/jpeg_markers.h"

namespace lprnet {

// The samples of one component.
struct JpegPlane {
    std::vector<std::uint8_t> samples;
    std::ptrdiff_t stride = 0;
    // Those of the picture; the plane has whole MCUs.
    int width = 0, height = 0;
    // The picture's size in units of this component's; 1, 2, 3 or 4.
    int across = 1, down = 1;
};

// Writes the picture's rows to `rgb`, 3 * width bytes each without gaps. `planes` has as many as
// `color` asks for. May throw std::bad_alloc.
void jpeg_to_rgb(const std::vector<JpegPlane>& planes, JpegColor color, int width, int height,
                 std::uint8_t* rgb);

}  // namespace lprnet
