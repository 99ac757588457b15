// Runs the cases of a file on a GPU, or on a processor where it is compiled with processor.hpp before it:
//
//     PROGRAM CASES [--seconds S] [--barriers]
//
// With --barriers, on a processor, each barrier is left out in turn, and those are told that nobody misses.
//
// Prints a line of JSON for each case, and ends with 1 where one is wrong. `cases.ts` writes the file.
#pragma once
#ifdef __CUDACC__
#include <cuda_runtime.h>
#endif
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <algorithm>
#include <map>
#include <string>
#include <vector>

struct Three { unsigned x, y, z; };

#ifdef __CUDACC__
struct Kernel { const char* name; const void* run; };
#define SHARES(n)
#define KERNEL(name, waits) {#name, (const void*)name}
#define KERNEL_SHARED(name, waits, n) KERNEL(name, waits)
constexpr unsigned orders = 1;

static void must(cudaError_t error) {
  if (error == cudaSuccess) return;
  fprintf(stderr, "CUDA: %s\n", cudaGetErrorString(error));
  exit(3);
}
static char* allocate(size_t bytes) { void* p; must(cudaMalloc(&p, bytes)); return static_cast<char*>(p); }
static void release(char* p) { must(cudaFree(p)); }
static void copy(void* to, const void* from, size_t bytes) { must(cudaMemcpy(to, from, bytes, cudaMemcpyDefault)); }
static const char* launch(const Kernel& k, Three groups, Three threads, void** pointers, unsigned count, unsigned) {
  void* addresses[64];
  for (unsigned i = 0; i < count; i++) addresses[i] = &pointers[i];
  const cudaError_t error = cudaLaunchKernel(k.run, dim3(groups.x, groups.y, groups.z),
                                             dim3(threads.x, threads.y, threads.z), addresses, 0, 0);
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}
static const char* wait() {
  const cudaError_t error = cudaDeviceSynchronize();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}
struct Clock {
  cudaEvent_t begin, end;
  Clock() { must(cudaEventCreate(&begin)); must(cudaEventCreate(&end)); }
  void start() { must(cudaEventRecord(begin)); }
  double stop() {
    float ms;
    must(cudaEventRecord(end));
    must(cudaEventSynchronize(end));
    must(cudaEventElapsedTime(&ms, begin, end));
    return ms;
  }
};
#else
#include <time.h>
using on_processor::Kernel;
#define SHARES(n) extern "C" char __start_shared_##n[], __stop_shared_##n[];
#define KERNEL(name, waits) {#name, on_processor::Call<name>::run, waits, nullptr, nullptr}
#define KERNEL_SHARED(name, waits, n) \
  {#name, on_processor::Call<name>::run, waits, __start_shared_##n, __stop_shared_##n}
constexpr unsigned orders = 3;

static char* allocate(size_t bytes) { return static_cast<char*>(aligned_alloc(256, bytes)); }
static void release(char* p) { free(p); }
static void copy(void* to, const void* from, size_t bytes) { memcpy(to, from, bytes); }
static const char* launch(const Kernel& k, Three groups, Three threads, void** pointers, unsigned, unsigned order) {
  return on_processor::launch(k, {groups.x, groups.y, groups.z}, {threads.x, threads.y, threads.z}, pointers, order);
}
static const char* wait() { return nullptr; }
struct Clock {
  timespec begin;
  void start() { clock_gettime(CLOCK_MONOTONIC, &begin); }
  double stop() {
    timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) * 1e-6;
  }
};
#endif

/** Reads the file's words one after another. */
struct Reader {
  std::vector<uint32_t> words;
  size_t at = 0;
  uint32_t word() { return words.at(at++); }
  float number() { const uint32_t w = word(); float x; memcpy(&x, &w, 4); return x; }
  const uint32_t* take(size_t count) { const uint32_t* p = words.data() + at; at += count; return p; }
  std::string text() { const uint32_t n = word(); const char* p = (const char*)take((n + 3) / 4); return std::string(p, n); }
  Three three() { const unsigned x = word(), y = word(), z = word(); return {x, y, z}; }
};

struct Place { unsigned buffer; uint64_t offset; };
struct Step { unsigned kernel; Three groups, threads; std::vector<Place> bindings; };
struct Commit { Place from, to; uint64_t bytes; };
/** `fill` is 0 for NaNs, 1 for words of the file, 2 for random numbers. */
struct Buffer { uint64_t bytes; unsigned fill, seed; float scale; const uint32_t* words; char* memory; };
/** Where `at` is, the elements of these numbers alone are known. */
struct Output { std::string name; Place place; bool exact; float allowed, largest; unsigned count; const uint32_t *at, *wanted; };
struct Case {
  std::string name; double work; bool timed;
  std::vector<Buffer> buffers; std::vector<Step> steps; std::vector<Commit> commits; std::vector<Output> outputs;
};

static Place place(Reader& r) { const unsigned buffer = r.word(); const uint64_t low = r.word(); return {buffer, low | uint64_t(r.word()) << 32}; }
static uint64_t length(Reader& r) { const uint64_t low = r.word(); return low | uint64_t(r.word()) << 32; }

static Case read_case(Reader& r) {
  Case c{};
  c.name = r.text();
  c.work = r.number() * 1e9;
  c.timed = r.word() != 0;
  for (unsigned n = r.word(); n > 0; n--) {
    Buffer b{};
    b.bytes = length(r);
    b.fill = r.word();
    if (b.fill == 1) b.words = r.take(b.bytes / 4);
    if (b.fill == 2) { b.seed = r.word(); b.scale = r.number(); }
    c.buffers.push_back(b);
  }
  for (unsigned n = r.word(); n > 0; n--) {
    Step s{};
    s.kernel = r.word();
    s.groups = r.three();
    s.threads = r.three();
    for (unsigned m = r.word(); m > 0; m--) s.bindings.push_back(place(r));
    c.steps.push_back(s);
  }
  for (unsigned n = r.word(); n > 0; n--) { const Place from = place(r), to = place(r); c.commits.push_back({from, to, length(r)}); }
  for (unsigned n = r.word(); n > 0; n--) {
    Output o{};
    o.name = r.text();
    o.place = place(r);
    o.exact = r.word() != 0;
    o.allowed = r.number();
    o.largest = r.number();
    o.count = r.word();
    if (r.word() != 0) o.at = r.take(o.count);
    o.wanted = r.take(o.count);
    c.outputs.push_back(o);
  }
  return c;
}

constexpr size_t guard = 256;
constexpr uint32_t guard_word = 0x5afe5afe;

static uint32_t mixed(uint32_t seed, uint32_t i) {
  uint32_t h = i * 0x9e3779b1u + seed;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

static void fill(const Buffer& b) {
  const size_t words = b.bytes / 4, extra = guard / 4;
  std::vector<uint32_t> all(words + 2 * extra, guard_word);
  uint32_t* inner = all.data() + extra;
  if (b.fill == 0) std::fill(inner, inner + words, 0xffffffffu);
  if (b.fill == 1) std::copy(b.words, b.words + words, inner);
  if (b.fill == 2)
    for (size_t i = 0; i < words; i++) {
      const float x = float((mixed(b.seed, uint32_t(i)) / 2147483648.0 - 1.0) * b.scale);
      memcpy(inner + i, &x, 4);
    }
  copy(b.memory, all.data(), all.size() * 4);
}

static char* address(const Case& c, Place p) { return c.buffers[p.buffer].memory + guard + p.offset; }

static bool is_guarded(const Case& c) {
  std::vector<uint32_t> words(guard / 4);
  for (const Buffer& b : c.buffers)
    for (const char* at : {b.memory, b.memory + guard + b.bytes}) {
      copy(words.data(), at, guard);
      for (const uint32_t w : words) if (w != guard_word) return false;
    }
  return true;
}

static std::string run_step(const Kernel* kernels, const Case& c, const Step& s, unsigned order) {
  void* pointers[64];
  unsigned count = 0;
  for (const Place& p : s.bindings) pointers[count++] = address(c, p);
  const char* fault = launch(kernels[s.kernel], s.groups, s.threads, pointers, count, order);
  return fault == nullptr ? "" : std::string(kernels[s.kernel].name) + ": " + fault;
}

static std::string run_steps(const Kernel* kernels, const Case& c, unsigned order) {
  for (const Step& s : c.steps) {
    const std::string fault = run_step(kernels, c, s, order);
    if (!fault.empty()) return fault;
  }
  return "";
}

/** @returns what is wrong; `error` becomes the largest one, relative to the largest element. */
static std::string compare(const Case& c, double& error) {
  std::string fault;
  for (const Output& o : c.outputs) {
    const size_t last = o.at == nullptr ? o.count : *std::max_element(o.at, o.at + o.count) + size_t(1);
    std::vector<uint32_t> got(last);
    copy(got.data(), address(c, o.place), last * 4);
    for (unsigned i = 0; i < o.count; i++) {
      const uint32_t word = got[o.at == nullptr ? i : o.at[i]], wanted = o.wanted[i];
      if (word == wanted) continue;
      float x, y;
      memcpy(&x, &word, 4);
      memcpy(&y, &wanted, 4);
      const double off = fabs(double(x) - y);
      const bool good = !o.exact && off <= o.allowed;
      if (!o.exact && o.largest > 0) error = std::max(error, off == off ? off / o.largest : HUGE_VAL);
      if (good || !fault.empty()) continue;
      char text[128];
      if (o.exact) snprintf(text, sizeof text, "%u instead of %u", word, wanted);
      else snprintf(text, sizeof text, "%.9g instead of %.9g, and %.1e is allowed", x, y, o.allowed);
      fault = o.name + ", element " + std::to_string(o.at == nullptr ? i : o.at[i]) + ": " + text;
    }
  }
  return fault;
}

/** As a host does it: all commits read what was before any of them. */
static void commit(const Case& c) {
  std::vector<std::vector<char>> held;
  for (const Commit& m : c.commits) {
    held.emplace_back(m.bytes);
    copy(held.back().data(), address(c, m.from), m.bytes);
  }
  for (size_t i = 0; i < c.commits.size(); i++) copy(address(c, c.commits[i].to), held[i].data(), c.commits[i].bytes);
}

/** Runs a case once, from the beginning. @returns what is wrong. */
static std::string attempt(const Kernel* kernels, const Case& c, unsigned order, double& error) {
  for (const Buffer& b : c.buffers) fill(b);
  std::string fault = run_steps(kernels, c, order);
  if (const char* failed = wait()) return failed;
  if (fault.empty()) { commit(c); fault = compare(c, error); }
  return fault.empty() && !is_guarded(c) ? "something was written before or after a buffer" : fault;
}

static std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char ch : text) {
    if (ch == '"' || ch == '\\') out += '\\';
    out += (unsigned char)ch < 32 ? ' ' : ch;
  }
  return out + "\"";
}

#ifndef __CUDACC__
/** Runs a case without each barrier that it came to; `noticed` are those whose lack was seen, here or before. */
static void leave_out(const Kernel* kernels, const Case& c, std::vector<bool>& noticed) {
  const std::vector<bool> met(on_processor::reached, std::end(on_processor::reached));
  for (unsigned n = 0; n < met.size(); n++) {
    if (!met[n] || noticed[n]) continue;
    on_processor::left_out = n;
    double error = 0;
    for (unsigned order = 0; order < orders && !noticed[n]; order++)
      noticed[n] = !attempt(kernels, c, order, error).empty();
    on_processor::left_out = ~0u;
  }
}
#endif

static double median(std::vector<double> v) { std::sort(v.begin(), v.end()); return v[v.size() / 2]; }

/** The median time of all steps after a warm-up, and what each kernel takes by itself. */
static std::string measure(const Kernel* kernels, const Case& c, double seconds) {
  Clock clock;
  double passed = 0;
  const auto once = [&] { clock.start(); run_steps(kernels, c, 0); const double ms = clock.stop(); passed += ms / 1e3; return ms; };
  while (passed < 0.6 * seconds) once();
  passed = 0;
  std::vector<double> times;
  while (times.size() < 3 || passed < seconds) times.push_back(once());
  std::map<std::string, std::pair<unsigned, double>> by_kernel;
  for (const Step& s : c.steps) {
    std::vector<double> own;
    for (int i = 0; i < 5; i++) { clock.start(); run_step(kernels, c, s, 0); own.push_back(clock.stop()); }
    auto& [count, sum] = by_kernel[kernels[s.kernel].name];
    count++;
    sum += median(own);
  }
  std::vector<std::pair<double, std::string>> slowest;
  for (const auto& [name, of] : by_kernel)
    slowest.push_back({of.second, "[" + quoted(name) + "," + std::to_string(of.first) + "," + std::to_string(of.second) + "]"});
  std::sort(slowest.rbegin(), slowest.rend());
  const double ms = median(times);
  char head[256];
  snprintf(head, sizeof head, ",\"ms\":%.5f,\"least\":%.5f,\"runs\":%zu,\"gflops\":%.1f,\"kernels\":[", ms,
           *std::min_element(times.begin(), times.end()), times.size(), c.work / ms / 1e6);
  std::string text = head;
  for (size_t i = 0; i < slowest.size() && i < 16; i++) text += (i > 0 ? "," : "") + slowest[i].second;
  return text + "]";
}

struct Options { double seconds = 1; std::vector<bool>* noticed = nullptr; };

static bool run_case(const Kernel* kernels, Case& c, const Options& options) {
  double error = 0;
  std::string fault;
  for (Buffer& b : c.buffers) b.memory = allocate((b.bytes + 2 * guard + 255) / 256 * 256);
  for (unsigned order = 0; order < orders && fault.empty(); order++) {
    fault = attempt(kernels, c, order, error);
    if (!fault.empty() && orders > 1) fault += " (threads in order " + std::to_string(order) + ")";
  }
#ifndef __CUDACC__
  if (options.noticed != nullptr && fault.empty()) leave_out(kernels, c, *options.noticed);
#endif
  const std::string times = c.timed && fault.empty() ? measure(kernels, c, options.seconds) : "";
  for (Buffer& b : c.buffers) release(b.memory);
  printf("{\"case\":%s,\"passed\":%s,\"error\":%.3e%s%s%s}\n", quoted(c.name).c_str(), fault.empty() ? "true" : "false",
         std::isfinite(error) ? error : 1e30, fault.empty() ? "" : ",\"fault\":", fault.empty() ? "" : quoted(fault).c_str(), times.c_str());
  fflush(stdout);
  // A GPU that has failed does nothing more in this process.
  if (wait() != nullptr) exit(3);
  return fault.empty();
}

static int run_cases(const Kernel* kernels, int argc, char** argv) {
  Options options;
  std::vector<bool> noticed(1 << 14);
  for (int i = 2; i < argc; i++) {
    if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) options.seconds = atof(argv[++i]);
    if (strcmp(argv[i], "--barriers") == 0) options.noticed = &noticed;
  }
  FILE* file = argc > 1 ? fopen(argv[1], "rb") : nullptr;
  if (file == nullptr) { fprintf(stderr, "no file of cases\n"); return 3; }
  fseek(file, 0, SEEK_END);
  Reader r;
  r.words.resize(ftell(file) / 4);
  rewind(file);
  if (fread(r.words.data(), 4, r.words.size(), file) != r.words.size()) return 3;
  fclose(file);
  bool good = true;
  for (unsigned n = r.word(); n > 0; n--) {
    Case c = read_case(r);
    good = run_case(kernels, c, options) && good;
  }
#ifndef __CUDACC__
  if (options.noticed != nullptr) {
    std::string unnoticed;
    for (unsigned n = 0; n < noticed.size(); n++)
      if (on_processor::reached[n] && !noticed[n]) unnoticed += (unnoticed.empty() ? "" : ",") + std::to_string(n);
    const size_t met = std::count(on_processor::reached, std::end(on_processor::reached), true);
    printf("{\"barriers\":%zu,\"unnoticed\":[%s]}\n", met, unnoticed.c_str());
  }
#endif
  return good ? 0 : 1;
}
