/* Reads one BGR crop through the C interface.
 *
 *   read_c99 FILE WIDTHxHEIGHT [fp32|int8] */
#include <lprnet/lprnet.h>

#include <stdio.h>
#include <stdlib.h>

static int fail(const char* what, const char* message) {
    fprintf(stderr, "error: %s: %s\n", what, message);
    return 1;
}

/* Exactly `size` bytes, to be freed; NULL if the file has fewer or more. */
static uint8_t* read_file(const char* path, size_t size) {
    uint8_t* bytes = malloc(size);
    FILE* file = fopen(path, "rb");
    if (file != NULL && bytes != NULL && fread(bytes, 1, size, file) == size &&
        fgetc(file) == EOF) {
        fclose(file);
        return bytes;
    }
    if (file != NULL) fclose(file);
    free(bytes);
    return NULL;
}

int main(int argc, char** argv) {
    int width = 0, height = 0;
    char rest;
    if (argc != 3 && argc != 4) return fail("usage", "read_c99 FILE WIDTHxHEIGHT [fp32|int8]");
    if (sscanf(argv[2], "%5dx%5d%c", &width, &height, &rest) != 2 || width < 1 || height < 1 ||
        width > LPR_MAX_IMAGE_SIDE || height > LPR_MAX_IMAGE_SIDE) {
        return fail(argv[2], "expected a size such as 188x60");
    }
    uint8_t* bgr = read_file(argv[1], 3 * (size_t)width * (size_t)height);
    if (bgr == NULL) return fail(argv[1], "expected a file of 3 x width x height bytes");

    /* What is not named is zero, and that is the default. */
    const lpr_options options = {.struct_size = sizeof options,
                                 .precision = argc == 4 ? argv[3] : "fp32"};
    const lpr_image image = {.data = bgr,
                             .width = width,
                             .height = height,
                             .stride = 3 * (ptrdiff_t)width,
                             .format = LPR_BGR};
    lpr_reading reading = {.struct_size = sizeof reading};
    lpr_recognizer* recognizer = NULL;
    char error[200] = "";
    lpr_status status = lpr_recognizer_open(NULL, &options, &recognizer, error, sizeof error);
    if (status == LPR_OK) status = lpr_read(recognizer, &image, &reading, error, sizeof error);
    /* One recognizer reads as many pictures as there are; this program has one. */
    lpr_recognizer_free(recognizer);
    free(bgr);
    if (status != LPR_OK) return fail(lpr_status_string(status), error);

    printf("%s %.4f\n", reading.text, (double)reading.confidence);
    for (int32_t i = 0; i < reading.character_count; ++i) {
        printf("  %s %.4f\n", reading.characters[i].text, (double)reading.characters[i].confidence);
    }
    return 0;
}
