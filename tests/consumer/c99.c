/* The C header in a C99 translation unit. */
#include "lprnet/lprnet.h"

#include <stdio.h>
#include <string.h>

int read_through_c(const char* precision, const uint8_t* pixels, int width, int height, char* text,
                   size_t size);

static int complain(const char* what, lpr_status status, const char* error) {
    fprintf(stderr, "%s: %s: %s\n", what, lpr_status_string(status), error);
    return 1;
}

/* Reads tightly packed BGR pixels into `text`: with options if a precision is given, else by the
 * calls without. */
int read_through_c(const char* precision, const uint8_t* pixels, int width, int height, char* text,
                   size_t size) {
    char error[200] = "";
    lpr_model* model = NULL;
    lpr_recognizer* recognizer = NULL;
    const lpr_options options = {.struct_size = sizeof options,
                                 .precision = precision,
                                 .threads = 2,
                                 .tuning = "lprnet tuning 1\n"};
    const lpr_image image = {.data = pixels,
                             .width = width,
                             .height = height,
                             .stride = 3 * (ptrdiff_t)width,
                             .format = LPR_BGR};
    const lpr_decoding decoding = {.struct_size = sizeof decoding, .decoder = LPR_GREEDY};
    lpr_reading reading = {.struct_size = sizeof reading};
    lpr_status status;
    if (lpr_limit(LPR_LIMIT_THREADS) < options.threads) {
        return complain("lpr_limit", LPR_MISMATCH, "fewer than 2 threads");
    }
    if (precision != NULL) {
        status = lpr_recognizer_open(NULL, &options, &recognizer, error, sizeof error);
        if (status != LPR_OK) return complain("lpr_recognizer_open", status, error);
    } else {
        status = lpr_model_builtin(&model, error, sizeof error);
        if (status != LPR_OK) return complain("lpr_model_builtin", status, error);
        status = lpr_recognizer_create(model, NULL, &recognizer, error, sizeof error);
        lpr_model_free(model);
        if (status != LPR_OK) return complain("lpr_recognizer_create", status, error);
    }
    status = lpr_recognizer_set_decoding(recognizer, &decoding, error, sizeof error);
    if (status != LPR_OK) return complain("lpr_recognizer_set_decoding", status, error);
    status = lpr_read(recognizer, &image, &reading, error, sizeof error);
    lpr_recognizer_free(recognizer);
    if (status != LPR_OK) return complain("lpr_read", status, error);
    if (strlen(reading.text) >= size) return complain("lpr_read", LPR_MISMATCH, "text too long");
    strcpy(text, reading.text);
    return 0;
}
