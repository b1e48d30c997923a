#include "engine/image_file/jpeg.h"

#include <algorithm>
#include <utility>

#include "engine/image_file/exif.h"
#include "engine/image_file/jpeg_dct.h"
#include "engine/image_file/jpeg_markers.h"
#include "engine/image_file/jpeg_rows.h"
#include "engine/image_file/jpeg_scan.h"
#include "engine/image_file/picture_error.h"

namespace lprnet {
namespace {

std::uint64_t block_count(const JpegComponent& component) noexcept {
    return static_cast<std::uint64_t>(component.padded_wide) *
           static_cast<std::uint64_t>(component.padded_high);
}

// The most that is in use at once: coefficients with samples, samples with pixels, or pixels with
// pixels being turned.
std::uint64_t bytes_needed(const JpegFile& file) noexcept {
    std::uint64_t samples = 0;
    for (const JpegComponent& component : file.components) samples += 64 * block_count(component);
    const std::uint64_t coefficients = file.progressive ? sizeof(std::int16_t) * samples : 0;
    const std::uint64_t pixels =
        3 * static_cast<std::uint64_t>(file.width) * static_cast<std::uint64_t>(file.height);
    const std::uint64_t turned = file.orientation == 1 ? 0 : pixels;
    return std::max({coefficients + samples, samples + pixels, pixels + turned});
}

// Steps by rows, as blocks are.
JpegBlock steps_by_rows(const QuantSteps& steps) noexcept {
    JpegBlock by_rows = {};
    for (std::size_t k = 0; k < steps.size(); ++k) {
        by_rows[kZigzag[k]] = static_cast<std::int16_t>(steps[k]);
    }
    return by_rows;
}

// The samples of all components.
class Planes : public BlockSink {
public:
    explicit Planes(const JpegFile& file) {
        for (const JpegComponent& c : file.components) {
            JpegPlane plane;
            plane.stride = std::ptrdiff_t{8} * c.padded_wide;
            plane.width = c.width;
            plane.height = c.height;
            plane.across = file.max_horizontal / c.horizontal;
            plane.down = file.max_vertical / c.vertical;
            plane.samples.resize(static_cast<std::size_t>(64 * block_count(c)));
            planes_.push_back(std::move(plane));
            steps_.push_back(
                steps_by_rows(file.quant_steps[static_cast<std::size_t>(c.quant_steps)]));
        }
    }

    void take(int component, int x, int y, const JpegBlock& block, bool dc_only) override {
        JpegPlane& plane = planes_[static_cast<std::size_t>(component)];
        const JpegBlock& steps = steps_[static_cast<std::size_t>(component)];
        std::uint8_t* at = plane.samples.data() + 8 * (y * plane.stride + x);
        (dc_only ? inverse_dct_of_mean : inverse_dct)(block, steps, at, plane.stride);
    }

    const std::vector<JpegPlane>& all() const noexcept { return planes_; }

private:
    std::vector<JpegPlane> planes_;
    std::vector<JpegBlock> steps_;
};

Status decode_progressive(const JpegFile& file, Planes& planes) {
    ProgressiveBlocks blocks;
    for (const JpegComponent& component : file.components) {
        blocks.components.emplace_back(static_cast<std::size_t>(block_count(component)));
    }
    for (const JpegScan& scan : file.scans) {
        if (Status status = decode_progressive_scan(file, scan, blocks); !status) return status;
    }
    for (std::size_t i = 0; i < file.components.size(); ++i) {
        const JpegComponent& component = file.components[i];
        const JpegBlock* block = blocks.components[i].data();
        for (int y = 0; y < component.padded_high; ++y) {
            for (int x = 0; x < component.padded_wide; ++x, ++block) {
                planes.take(static_cast<int>(i), x, y, *block, false);
            }
        }
    }
    return {};
}

Status decode_sequential(const JpegFile& file, Planes& planes) {
    for (const JpegScan& scan : file.scans) {
        if (Status status = decode_sequential_scan(file, scan, planes); !status) return status;
    }
    return {};
}

}  // namespace

bool is_jpeg(Bytes file) noexcept {
    return file.size() >= 3 && byte_at(file, 0) == 0xFF && byte_at(file, 1) == 0xD8 &&
           byte_at(file, 2) == 0xFF;
}

Result<DecodedImage> decode_jpeg(Bytes bytes, const ImageLimits& limits) {
    Result<JpegFile> markers = read_jpeg_markers(bytes);
    if (!markers) return markers.error();
    const JpegFile& file = *markers;
    int width = file.width;
    int height = file.height;
    if (Status status =
            check_memory(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height),
                         bytes_needed(file), limits.max_bytes);
        !status) {
        return status.error();
    }
    std::vector<std::uint8_t> pixels;
    {
        Planes planes(file);
        const Status decoded =
            file.progressive ? decode_progressive(file, planes) : decode_sequential(file, planes);
        if (!decoded) return decoded.error();
        pixels.resize(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
        jpeg_to_rgb(planes.all(), file.color, width, height, pixels.data());
    }
    if (file.orientation != 1) {
        pixels = turn_upright(std::move(pixels), width, height, file.orientation);
    }
    return DecodedImage(std::move(pixels), width, height);
}

}  // namespace lprnet
