/** The C file of a folder for CUDA: it reads the manifest and runs a program through the driver's library. */
import { heading } from "./modules.ts";

export const hostFile = "run.c";

/** The same for every model. */
export const hostText = String.raw`${heading}
//
// Runs a program of this folder on an NVIDIA GPU through libcuda, the driver's library. Nothing else of CUDA is needed.
//     cc -O2 -o run run.c -ldl
//     ./run FOLDER PROGRAM [--runs N] [INPUT=FILE]...
// FILE holds an input's numbers, 32 bits each, the little end first. An output is written to OUTPUT.bin in the working
// folder. With --runs the program runs so often, and the mean time is printed. manifest.txt says what there is.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
typedef uint64_t address; // of a GPU
#define DRIVER(X) \
  X(cuInit, (unsigned)) X(cuDeviceGet, (int *, int)) X(cuDeviceGetAttribute, (int *, int, int)) \
  X(cuDevicePrimaryCtxRetain, (void **, int)) X(cuCtxSetCurrent, (void *)) \
  X(cuFuncSetAttribute, (void *, int, int)) X(cuModuleLoadData, (void **, const void *)) X(cuModuleGetFunction, (void **, void *, const char *)) \
  X(cuMemAlloc_v2, (address *, size_t)) X(cuMemsetD8Async, (address, unsigned char, size_t, void *)) \
  X(cuMemcpyHtoD_v2, (address, const void *, size_t)) X(cuMemcpyDtoH_v2, (void *, address, size_t)) \
  X(cuMemcpyDtoDAsync_v2, (address, address, size_t, void *)) X(cuGetErrorName, (int, const char **)) \
  X(cuLaunchKernel, (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **)) \
  X(cuEventCreate, (void **, unsigned)) X(cuEventRecord, (void *, void *)) X(cuEventSynchronize, (void *)) \
  X(cuEventElapsedTime, (float *, void *, void *))
#define DECLARE(name, parameters) static int(*name) parameters;
DRIVER(DECLARE)
static _Noreturn void stop(int code, const char *what, const char *which) {
  fprintf(stderr, "error: %s%s\n", what, which);
  exit(code);
}
static void must(const char *call, int code) {
  const char *name = "an error without a name";
  if (code == 0) return;
  cuGetErrorName(code, &name);
  fprintf(stderr, "error: %s: %s (%d)\n", call, name, code);
  exit(3);
}
#define CALL(name, ...) must(#name, name(__VA_ARGS__))
static int open_driver(void) {
  int device;
  void *context, *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) stop(3, "there is no driver of an NVIDIA GPU: ", dlerror());
#define FIND(name, parameters) if (!(*(void **)&name = dlsym(library, #name))) stop(3, "the driver lacks ", #name);
  DRIVER(FIND)
  CALL(cuInit, 0);
  CALL(cuDeviceGet, &device, 0);
  CALL(cuDevicePrimaryCtxRetain, &context, device);
  CALL(cuCtxSetCurrent, context);
  return device;
}
// A whole file with a zero behind it, or nothing where there is none.
static char *contents(const char *folder, const char *name, const char *ending, size_t *bytes) {
  char path[4096], *all;
  snprintf(path, sizeof path, "%s%s%s", folder, name, ending);
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file), rewind(file);
  if (!(all = calloc(1, *bytes + 1)) || fread(all, 1, *bytes, file) != *bytes) stop(1, "a file cannot be read: ", path);
  fclose(file);
  return all;
}
// What was assembled for this GPU, else the text, which the driver assembles.
static void *load_kernels(const char *folder, const char *name, int device) {
  const char *const endings[] = {".sm_%d%d.cubin", ".sm_%d%da.cubin", ".ptx"};
  int code = 0, version[2];
  for (int i = 0; i < 2; i++) CALL(cuDeviceGetAttribute, &version[i], 75 + i, device);
  for (int i = 0; i < 3; i++) {
    char ending[32], *image;
    void *module;
    size_t bytes;
    snprintf(ending, sizeof ending, endings[i], version[0], version[1]);
    if (!(image = contents(folder, name, ending, &bytes))) continue;
    code = cuModuleLoadData(&module, image);
    free(image);
    if (code == 0) return module;
  }
  must("cuModuleLoadData", code);
  stop(1, "there are no kernels: ", name);
}
#define ONE_MORE(list, count) ((list) = realloc(list, ++(count) * sizeof *(list)), &(list)[(count) - 1])
enum { most_arguments = 64 };
static address *buffers;
static struct step { void *kernel; unsigned sizes[7], count; address arguments[most_arguments]; } *steps;
static struct copy { address from, to; size_t bytes; } *copies;
static struct tensor { char name[256]; int is_output, is_given; address at; size_t bytes; } *tensors;
static size_t buffer_count, step_count, copy_count, tensor_count, weights_bytes;
static char *word(void) {
  char *next = strtok(NULL, " ");
  if (!next) stop(1, "manifest.txt: a line is cut off", "");
  return next;
}
static uint64_t number(void) { return strtoull(word(), NULL, 10); }
static address place(void) {
  const uint64_t buffer = number();
  if (buffer >= buffer_count) stop(1, "manifest.txt names a buffer that there is not", "");
  return buffers[buffer] + number();
}
static void read_line(const char *what, void *kernels, const char *weights) {
  if (strcmp(what, "buffer") == 0) {
    const int is_state = strcmp(word(), "state") == 0;
    const size_t bytes = number();
    CALL(cuMemAlloc_v2, ONE_MORE(buffers, buffer_count), bytes);
    if (is_state) CALL(cuMemsetD8Async, buffers[buffer_count - 1], 0, bytes, NULL);
  } else if (strcmp(what, "fill") == 0) {
    const address to = place();
    const uint64_t bytes = number(), at = number();
    if (!weights || at + bytes > weights_bytes) stop(1, "the file of weights is missing or cut off", "");
    CALL(cuMemcpyHtoD_v2, to, weights + at, bytes);
  } else if (strcmp(what, "input") == 0 || strcmp(what, "output") == 0) {
    struct tensor *one = ONE_MORE(tensors, tensor_count);
    *one = (struct tensor){.is_output = what[0] == 'o'};
    snprintf(one->name, sizeof one->name, "%s", word());
    word(); // its type
    one->at = place(), one->bytes = number();
  } else if (strcmp(what, "step") == 0) {
    struct step *one = ONE_MORE(steps, step_count);
    CALL(cuModuleGetFunction, &one->kernel, kernels, word());
    for (int i = 0; i < 7; i++) one->sizes[i] = (unsigned)number();
    if (one->sizes[6] > 0) CALL(cuFuncSetAttribute, one->kernel, 8, (int)one->sizes[6]);
    one->count = (unsigned)number();
    if (one->count > most_arguments) stop(1, "manifest.txt: a kernel has too many arguments", "");
    for (unsigned i = 0; i < one->count; i++) one->arguments[i] = place();
  } else if (strcmp(what, "copy") == 0) {
    struct copy *one = ONE_MORE(copies, copy_count);
    one->from = place(), one->to = place(), one->bytes = number();
  }
}
static void read_program(const char *folder, const char *program, int device) {
  size_t bytes;
  char *manifest = contents(folder, "manifest.txt", "", &bytes), *weights = NULL, *rest = manifest;
  void *kernels = NULL;
  int is_meant = 0;
  if (!manifest) stop(1, "there is no manifest.txt in ", folder);
  for (char *line; (line = rest) && *line;) {
    if ((rest = strchr(line, '\n'))) *rest++ = 0;
    const char *what = strtok(line, " ");
    if (strcmp(what, "kernels") == 0) kernels = load_kernels(folder, word(), device);
    if (strcmp(what, "weights") == 0) weights = contents(folder, word(), "", &weights_bytes);
    if (strcmp(what, "program") == 0) is_meant = strcmp(word(), program) == 0;
    if (is_meant) read_line(what, kernels, weights);
  }
  if (buffer_count == 0) stop(1, "manifest.txt has no program ", program);
}
static void give_input(char *argument) {
  char *numbers, *file = strchr(argument, '=');
  size_t bytes;
  if (!file) stop(1, "write INPUT=FILE, not ", argument);
  *file++ = 0;
  for (struct tensor *one = tensors; one < tensors + tensor_count; one++) {
    if (one->is_output || strcmp(one->name, argument) != 0) continue;
    if (!(numbers = contents(file, "", "", &bytes))) stop(1, "there is no file ", file);
    if (bytes != one->bytes) stop(1, "the file has another number of bytes than the input ", argument);
    CALL(cuMemcpyHtoD_v2, one->at, numbers, bytes);
    one->is_given = 1;
    return;
  }
  stop(1, "the program has no input ", argument);
}
static void run(void) {
  for (struct step *s = steps; s < steps + step_count; s++) {
    void *arguments[most_arguments];
    for (unsigned i = 0; i < s->count; i++) arguments[i] = &s->arguments[i];
    const unsigned *n = s->sizes;
    CALL(cuLaunchKernel, s->kernel, n[0], n[1], n[2], n[3], n[4], n[5], n[6], NULL, arguments, NULL);
  }
  for (struct copy *c = copies; c < copies + copy_count; c++) CALL(cuMemcpyDtoDAsync_v2, c->to, c->from, c->bytes, NULL);
}
static void write_output(const struct tensor *one) {
  char path[300], *numbers = malloc(one->bytes);
  snprintf(path, sizeof path, "%s.bin", one->name);
  CALL(cuMemcpyDtoH_v2, numbers, one->at, one->bytes);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(numbers, 1, one->bytes, file) != one->bytes || fclose(file) != 0) stop(1, "cannot write ", path);
}
int main(int count, char **all) {
  int runs = 1;
  void *events[2];
  float milliseconds;
  char folder[2048];
  if (count < 3) stop(1, "write ./run FOLDER PROGRAM [--runs N] [INPUT=FILE]...", "");
  snprintf(folder, sizeof folder, "%s/", all[1]);
  const int device = open_driver();
  read_program(folder, all[2], device);
  for (int i = 3; i < count; i++)
    if (strcmp(all[i], "--runs") == 0 && i + 1 < count) runs = atoi(all[++i]);
    else give_input(all[i]);
  for (struct tensor *one = tensors; one < tensors + tensor_count; one++)
    if (!one->is_output && !one->is_given) stop(1, "no file is given for the input ", one->name);
  for (int i = 0; i < 2; i++) CALL(cuEventCreate, &events[i], 0);
  run();
  CALL(cuEventRecord, events[0], NULL);
  for (int i = 1; i < runs; i++) run();
  CALL(cuEventRecord, events[1], NULL);
  CALL(cuEventSynchronize, events[1]);
  CALL(cuEventElapsedTime, &milliseconds, events[0], events[1]);
  if (runs > 1) printf("%.4f ms a run after the first\n", milliseconds / (runs - 1));
  for (struct tensor *one = tensors; one < tensors + tensor_count; one++)
    if (one->is_output) write_output(one);
  return 0;
}
`;
