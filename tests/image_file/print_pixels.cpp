// The pixels of picture files, for comparison with another decoder's.
// Usage: lprnet_pixels FOLDER FILE...
// Writes FOLDER/NAME.ppm for each FILE called NAME. A file that is no picture takes one line on
// standard error, "NAME: what is wrong", and exit status 3; the others are written all the same.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/image_file/image_file.h"

namespace {

bool write_ppm(const std::string& path, const lprnet::ImageView& view) {
    struct Close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "wb"));
    if (!file) return false;
    std::fprintf(file.get(), "P6 %d %d 255\n", view.width, view.height);
    const std::size_t row = 3 * static_cast<std::size_t>(view.width);
    for (int y = 0; y < view.height; ++y) {
        if (std::fwrite(view.data + y * view.stride, 1, row, file.get()) != row) return false;
    }
    return std::fflush(file.get()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: lprnet_pixels FOLDER FILE...\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    int status = 0;
    for (int i = 2; i < argc; ++i) {
        const std::string name = std::filesystem::path(argv[i]).filename().string();
        const lprnet::Result<lprnet::DecodedImage> image = lprnet::open_image(argv[i]);
        if (!image) {
            std::fprintf(stderr, "%s\n", image.error().message.c_str());
            status = 3;
        } else if (!write_ppm((folder / (name + ".ppm")).string(), image.value().view())) {
            std::fprintf(stderr, "lprnet_pixels: %s: cannot be written\n", name.c_str());
            return 2;
        }
    }
    return status;
}
