/* LPRNET_API marks what a shared library of this project exports, LPRNET_HIDDEN what it does not of
 * a class that it exports (C99). A static one marks nothing, so that a plug-in which links it
 * exports nothing of it. */
#ifndef LPRNET_EXPORT_H
#define LPRNET_EXPORT_H

/* Defined where the shared library itself is compiled. */
#if defined(LPRNET_SHARED) && defined(__GNUC__)
#define LPRNET_API __attribute__((visibility("default")))
#define LPRNET_HIDDEN __attribute__((visibility("hidden")))
#else
#define LPRNET_API
#define LPRNET_HIDDEN
#endif

#endif
