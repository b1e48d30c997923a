/* C interface (C99). Handles are opaque, results go into the caller's memory.
 *
 * A model may be shared by any number of threads; a recognizer is used by one
 * thread at a time, whatever its own number of threads. Functions without a handle may
 * be called from anywhere. No function prints, exits or throws: without memory they
 * return LPR_OUT_OF_MEMORY, and what was there before goes on working. Numbers that are
 * no enumerator are refused. Texts are NUL-terminated UTF-8, read during the call.
 * Where a function takes `error` and `error_size`, a failure writes one NUL-terminated
 * line there, cut to fit; both may be zero. A failed load, open, create or clone sets
 * its handle to NULL.
 */
#ifndef LPRNET_H
#define LPRNET_H

#include <stddef.h>
#include <stdint.h>

#include "lprnet/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lpr_model lpr_model;
typedef struct lpr_recognizer lpr_recognizer;

typedef enum lpr_status {
    LPR_OK = 0,
    LPR_INVALID_ARGUMENT = 1,
    LPR_NOT_FOUND = 2,
    LPR_MALFORMED = 3,
    LPR_MISMATCH = 4,
    LPR_UNSUPPORTED = 5,
    LPR_OUT_OF_MEMORY = 6
} lpr_status;

/* Bytes in memory order. Alpha is ignored. The last four share chroma between pixels and are read
 * as BT.601 in limited range; lprnet/image.h tells how. */
typedef enum lpr_pixel_format {
    LPR_BGR = 0,
    LPR_RGB = 1,
    LPR_BGRA = 2,
    LPR_RGBA = 3,
    LPR_GRAY = 4,
    LPR_NV12 = 5,
    LPR_NV21 = 6,
    LPR_I420 = 7,
    LPR_YUYV = 8
} lpr_pixel_format;

/* Row y begins at data + y * stride (bytes, may be negative, at most 1 GiB). 1 to
 * LPR_MAX_IMAGE_SIDE pixels a side. */
typedef struct lpr_image {
    const uint8_t* data;
    int32_t width;
    int32_t height;
    ptrdiff_t stride;
    lpr_pixel_format format;
    /* Chroma of LPR_NV12, LPR_NV21 (one plane) and LPR_I420 (U, then V); the other formats
     * ignore it. NULL: after the luma without a gap. A stride of 0: that of the luma rounded up
     * to an even number, for LPR_I420 half of that. */
    const uint8_t* chroma;
    const uint8_t* chroma_v;
    ptrdiff_t chroma_stride;
} lpr_image;

/* A rectangle of whole pixels inside an image. */
typedef struct lpr_region {
    int32_t x;
    int32_t y;
    int32_t width;
    int32_t height;
} lpr_region;

/* The corners of a plate, clockwise from its top left, in pixels from the upper left corner of
 * the image (the center of the first pixel is at 0.5); rows of characters, 1 or 2. */
typedef struct lpr_quad {
    float x[4];
    float y[4];
    int32_t rows;
} lpr_quad;

typedef enum lpr_decoder {
    LPR_GREEDY = 0, /* the likeliest class of each time step */
    LPR_BEAM = 1,   /* the likeliest text, summed over its alignments */
    LPR_GRAMMAR = 2 /* the likeliest text among those that have one of the formats */
} lpr_decoder;

/* Zero everything but struct_size to get what lpr_recognizer_create gives. Grows as lpr_options
 * does. */
typedef struct lpr_decoding {
    size_t struct_size; /* sizeof(lpr_decoding) */
    lpr_decoder decoder;
    /* Formats of plates in the language of lprnet/patterns.h, up to LPR_MAX_PATTERN_BYTES; NULL
     * for the built-in Chinese ones with LPR_GRAMMAR, for none with the others. */
    const char* patterns;
    int32_t candidates; /* most of them in a reading, up to LPR_MAX_CANDIDATES; 0 for one */
    int32_t beam_width; /* prefixes that the search keeps, up to LPR_MAX_BEAM_WIDTH; 0 chooses */
    double temperature; /* divides the logits, 0.05 to 20; 0 takes the model's own */
    /* Provinces that most plates here are of, one character of UTF-8 each: theirs count more. For
     * LPR_GRAMMAR alone. NULL or an empty text: none. */
    const char* provinces;
} lpr_decoding;

/* What a recognizer is made with. Zero everything but struct_size to get what
 * lpr_recognizer_create gives with a NULL isa. An empty text counts as NULL. The struct may grow at
 * its end: a smaller struct_size that was sizeof(lpr_options) in an earlier header is taken, and
 * what is missing counts as zero. */
typedef struct lpr_options {
    size_t struct_size; /* sizeof(lpr_options) */
    /* Which of the built-in weights to read with, "fp32" or "int8", in place of a model; NULL with
     * a model. */
    const char* precision;
    /* Name of a kernel table, such as "avx2" or "reference"; NULL: the environment variable
     * LPRNET_ISA if it is set, else the best for this CPU. */
    const char* isa;
    /* Threads that share each image, 1 to LPR_MAX_THREADS; 0 is 1. The answers do not depend on it.
     * More than one halves the time of a single image on an idle machine; many images are read
     * faster by one recognizer per thread. */
    int32_t threads;
    /* The text of a file that `lprnet tune` wrote on this CPU, up to LPR_MAX_TUNING_BYTES; NULL for
     * built-in defaults. That of another instruction set than the one in use is ignored. */
    const char* tuning;
    const lpr_decoding* decoding; /* NULL: greedy */
} lpr_options;

enum {
    LPR_MAX_CHARACTERS = 64,
    LPR_MAX_TEXT = 256,
    LPR_MAX_CHARACTER_TEXT = 16,
    LPR_MAX_ALTERNATIVES = 3,
    LPR_MAX_CANDIDATES = 16,
    LPR_MAX_BEAM_WIDTH = 1000,
    LPR_MAX_PATTERN_BYTES = 65536,
    LPR_MAX_THREADS = 64,
    LPR_MAX_TUNING_BYTES = 1048576,
    LPR_MAX_IMAGE_SIDE = 32768
};

typedef enum lpr_limit_name {
    LPR_LIMIT_CANDIDATES = 0,    /* of a reading */
    LPR_LIMIT_BEAM_WIDTH = 1,    /* prefixes */
    LPR_LIMIT_PATTERN_BYTES = 2, /* without the NUL, as those of a tuning */
    LPR_LIMIT_THREADS = 3,       /* of one recognizer */
    LPR_LIMIT_TUNING_BYTES = 4,
    LPR_LIMIT_IMAGE_SIDE = 5 /* pixels */
} lpr_limit_name;

typedef struct lpr_alternative {
    char text[LPR_MAX_CHARACTER_TEXT]; /* UTF-8 */
    float confidence;                  /* 0..1 */
} lpr_alternative;

typedef struct lpr_character {
    char text[LPR_MAX_CHARACTER_TEXT]; /* UTF-8 */
    float confidence;                  /* share among all characters in this place, 0..1 */
    int32_t first_step;
    int32_t last_step;
    int32_t alternative_count;
    lpr_alternative alternatives[LPR_MAX_ALTERNATIVES]; /* best first */
} lpr_character;

typedef struct lpr_candidate {
    char text[LPR_MAX_TEXT]; /* UTF-8 */
    float confidence;        /* 0..1 */
    int32_t format;          /* which of the formats it has, counted from 0; -1 for none */
} lpr_candidate;

typedef struct lpr_reading {
    size_t struct_size;      /* set to sizeof(lpr_reading) before the call */
    char text[LPR_MAX_TEXT]; /* UTF-8, empty if there is no character */
    float confidence;        /* P(text | image), with LPR_GRAMMAR among texts with a format, 0..1 */
    float reject_score;      /* 0..1, near 1 if there is no plate; see lpr_reject_above */
    int32_t character_count;
    int32_t candidate_count;
    lpr_character characters[LPR_MAX_CHARACTERS];
    lpr_candidate candidates[LPR_MAX_CANDIDATES]; /* best first, the first one is `text` */
} lpr_reading;

/* "major.minor.patch" */
LPRNET_API const char* lpr_version(void);
/* A lower-case name such as "not_found"; never NULL. */
LPRNET_API const char* lpr_status_string(lpr_status status);
/* The limit of the library in use, which may differ from the LPR_MAX_ constant of the header that a
 * program was compiled with; -1 for a number that is no lpr_limit_name. */
LPRNET_API int64_t lpr_limit(lpr_limit_name name);

LPRNET_API lpr_status lpr_model_load(const char* path, lpr_model** model, char* error,
                                     size_t error_size);
/* `bytes` is only read during the call. */
LPRNET_API lpr_status lpr_model_from_memory(const void* bytes, size_t size, lpr_model** model,
                                            char* error, size_t error_size);
/* The weights that were linked into the library: in float32, or those of a precision, "fp32" or
 * "int8" (computed in integers: faster, and read alike), NULL and "" being "fp32". LPR_UNSUPPORTED
 * if there are none. */
LPRNET_API lpr_status lpr_model_builtin(lpr_model** model, char* error, size_t error_size);
LPRNET_API lpr_status lpr_model_builtin_precision(const char* precision, lpr_model** model,
                                                  char* error, size_t error_size);
/* "fp32", "sparse" (the same, stored without its zeros) or "int8"; "" for NULL. */
LPRNET_API const char* lpr_model_precision(const lpr_model* model);
/* A recognizer keeps what it needs of its model. NULL is allowed. */
LPRNET_API void lpr_model_free(lpr_model* model);

/* Packs the weights and reserves all memory. `model` is NULL where options->precision names
 * built-in weights, and only there. LPR_INVALID_ARGUMENT for both or neither, a struct_size that no
 * header had, a number out of range; LPR_UNSUPPORTED for a kernel table that is unknown or cannot
 * run here and for weights that are not built in; LPR_MALFORMED for a tuning that is none;
 * LPR_OUT_OF_MEMORY also if the system does not start so many threads; those of
 * lpr_recognizer_set_decoding. */
LPRNET_API lpr_status lpr_recognizer_open(const lpr_model* model, const lpr_options* options,
                                          lpr_recognizer** recognizer, char* error,
                                          size_t error_size);
/* The same with nothing but an `isa` in its options, which may be NULL. */
LPRNET_API lpr_status lpr_recognizer_create(const lpr_model* model, const char* isa,
                                            lpr_recognizer** recognizer, char* error,
                                            size_t error_size);
/* One more for another thread, sharing the packed weights, with as many threads of its own. */
LPRNET_API lpr_status lpr_recognizer_clone(const lpr_recognizer* recognizer, lpr_recognizer** clone,
                                           char* error, size_t error_size);
/* The kernel table and the number of threads in use; "" and 0 for NULL. */
LPRNET_API const char* lpr_recognizer_isa(const lpr_recognizer* recognizer);
LPRNET_API int32_t lpr_recognizer_threads(const lpr_recognizer* recognizer);
/* NULL is allowed. */
LPRNET_API void lpr_recognizer_free(lpr_recognizer* recognizer);

/* How readings are decoded from now on; clones made later decode likewise. On an error nothing
 * changes: LPR_INVALID_ARGUMENT for a number out of range, LPR_MALFORMED for patterns that are
 * none, with their line and column, LPR_MISMATCH if the model has not the characters for any of
 * them. */
LPRNET_API lpr_status lpr_recognizer_set_decoding(lpr_recognizer* recognizer,
                                                  const lpr_decoding* decoding, char* error,
                                                  size_t error_size);
/* A reading of this decoder with a higher reject_score is likely not of a plate. Every number but
 * LPR_GRAMMAR gives the value of the others. */
LPRNET_API float lpr_reject_above(lpr_decoder decoder);

/* Allocates nothing after the first call with the same decoding. LPR_MISMATCH if the reading does
 * not fit the structure. On an error the reading is as it was, for LPR_MISMATCH empty. */
LPRNET_API lpr_status lpr_read(lpr_recognizer* recognizer, const lpr_image* image,
                               lpr_reading* reading, char* error, size_t error_size);
/* The same for a part of the image, which has to lie inside. */
LPRNET_API lpr_status lpr_read_region(lpr_recognizer* recognizer, const lpr_image* image,
                                      const lpr_region* region, lpr_reading* reading, char* error,
                                      size_t error_size);
/* The same for a plate seen at an angle; its corners may lie outside of the image, where the
 * nearest pixel of the edge counts. */
LPRNET_API lpr_status lpr_read_quad(lpr_recognizer* recognizer, const lpr_image* image,
                                    const lpr_quad* quad, lpr_reading* reading, char* error,
                                    size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
