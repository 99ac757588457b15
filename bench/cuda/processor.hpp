// Printed CUDA on a processor: the threads of a block are fibers, which switch at barriers and where
// the threads of a warp exchange values. Threads run in one of three orders, and shared memory holds
// NaNs before each block, so that a missing barrier shows in the results.
#pragma once
#include <math.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
// All of a kernel's shared memory lies in one section, whose ends the linker knows.
#define __shared__ static __attribute__((section(SHARED_SECTION)))

struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(4) ushort2 { unsigned short x, y; };
struct alignas(8) ushort4 { unsigned short x, y, z, w; };
struct Axes { unsigned x, y, z; };

static inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
static inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }

static inline unsigned __float_as_uint(float x) { unsigned u; memcpy(&u, &x, 4); return u; }
static inline float __uint_as_float(unsigned u) { float x; memcpy(&x, &u, 4); return x; }

// Halves, in place of instructions.
#define INARCH_HALVES
static inline float widen_half(unsigned short h) {
  const unsigned sign = (h & 0x8000u) << 16, magnitude = h & 0x7fffu;
  if (magnitude >= 0x7c00u) return __uint_as_float(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
  const float x = (magnitude < 0x400u)
    ? float(magnitude) * 5.9604644775390625e-8f
    : __uint_as_float((magnitude << 13) + 0x38000000u);
  return sign ? -x : x;
}
static inline unsigned short round_half(float x) {
  const unsigned bits = __float_as_uint(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;
  // Below the least normal half: a multiple of 2^-24, which the sum rounds to.
  if (magnitude < 0x38800000u)
    return sign | (__float_as_uint(__uint_as_float(magnitude) + 0.5f) - 0x3f000000u);
  return sign | ((magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13);
}

#define INARCH_BFLOATS
static inline float widen_bfloat(unsigned short h) { return __uint_as_float(unsigned(h) << 16); }
static inline unsigned short round_bfloat(float x) {
  const unsigned bits = __float_as_uint(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fffu;
  return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

namespace on_processor {
enum Stop { running, at_barrier, at_exchange, ended };
constexpr unsigned most = 1024, stack_bytes = 128 << 10;

struct Fiber {
  Axes thread;
  Stop stop;
  bool begun;
  jmp_buf at;
  ucontext_t first;
  // What an exchange takes and gives.
  unsigned mask, value, source;
};

static Fiber fibers[most];
static char* stacks;
static unsigned now;
static Axes block;
static jmp_buf home;
static void (*body)(void**);
static void** arguments;

__attribute__((noinline)) static void leave(Stop stop) {
  fibers[now].stop = stop;
  if (_setjmp(fibers[now].at) == 0) _longjmp(home, 1);
}
static void live() {
  for (;;) {
    body(arguments);
    leave(ended);
  }
}
__attribute__((noinline)) static void resume(unsigned i) {
  now = i;
  Fiber& f = fibers[i];
  if (_setjmp(home) != 0) return;
  if (f.begun) _longjmp(f.at, 1);
  f.begun = true;
  getcontext(&f.first);
  f.first.uc_stack.ss_sp = stacks + size_t(i) * stack_bytes;
  f.first.uc_stack.ss_size = stack_bytes;
  f.first.uc_link = nullptr;
  makecontext(&f.first, live, 0);
  setcontext(&f.first);
}

/** By their numbers in the file: which barriers threads came to, and the one that they pass. */
static bool reached[1 << 14];
static unsigned left_out = ~0u;
template <unsigned number> void barrier() {
  static_assert(number < sizeof reached, "a file has too many barriers");
  reached[number] = true;
  if (number != left_out) leave(at_barrier);
}

/** A lane of 32 or more stands for the thread's own value. */
template <class T> T exchange(unsigned mask, T value, unsigned lane) {
  static_assert(sizeof(T) == 4, "values of 32 bits are exchanged");
  Fiber& f = fibers[now];
  f.mask = mask;
  f.source = lane;
  memcpy(&f.value, &value, 4);
  leave(at_exchange);
  T result;
  memcpy(&result, &fibers[now].value, 4);
  return result;
}

/** @returns what is wrong, or nothing. */
static const char* resolve(unsigned first, unsigned members) {
  const unsigned all = 0xffffffffu >> (32 - members);
  unsigned given[32];
  for (unsigned i = 0; i < members; i++) {
    const Fiber& f = fibers[first + i];
    if (f.stop != at_exchange) return "a warp exchanges values, and a thread of it is elsewhere";
    if ((f.mask & all) != all) return "a warp exchanges values without a thread of it";
    given[i] = f.value;
  }
  for (unsigned i = 0; i < members; i++) {
    Fiber& f = fibers[first + i];
    if (f.source < 32) f.value = f.source < members ? given[f.source] : 0xffffffffu;
    f.stop = running;
  }
  return nullptr;
}

/** The n-th thread or warp of `count` in an order: as they are, reversed, or mixed. */
static unsigned placed(unsigned n, unsigned count, unsigned order) {
  if (order == 0) return n;
  if (order == 1) return count - 1 - n;
  // A step that has no divisor in common with the count visits each once.
  unsigned step = count / 2 + 1;
  for (;; step++) {
    unsigned a = step, b = count;
    while (b != 0) { const unsigned c = a % b; a = b; b = c; }
    if (a == 1) return (n * step + block.x) % count;
  }
}

static const char* run_warp(unsigned first, unsigned members, unsigned order) {
  for (;;) {
    unsigned exchanging = 0;
    for (unsigned n = 0; n < members; n++) {
      const unsigned i = first + placed(n, members, order);
      if (fibers[i].stop == running) resume(i);
      exchanging += fibers[i].stop == at_exchange;
    }
    if (exchanging == 0) return nullptr;
    if (const char* fault = resolve(first, members)) return fault;
  }
}

static Axes thread_of(unsigned i, Axes threads) {
  return {i % threads.x, i / threads.x % threads.y, i / threads.x / threads.y};
}

static const char* run_block(Axes threads, unsigned order) {
  const unsigned count = threads.x * threads.y * threads.z, warps = (count + 31) / 32;
  for (unsigned i = 0; i < count; i++) {
    fibers[i].thread = thread_of(i, threads);
    fibers[i].stop = running;
  }
  for (;;) {
    for (unsigned n = 0; n < warps; n++) {
      const unsigned first = 32 * placed(n, warps, order);
      if (const char* fault = run_warp(first, min(32u, count - first), order)) return fault;
    }
    unsigned waiting = 0;
    for (unsigned i = 0; i < count; i++) waiting += fibers[i].stop == at_barrier;
    if (waiting == 0) return nullptr;
    if (waiting != count) return "not all threads of a block reach a barrier";
    for (unsigned i = 0; i < count; i++) fibers[i].stop = running;
  }
}

/** Threads that never wait for each other run one after the other, without fibers. */
static const char* run_alone(Axes threads, unsigned order) {
  const unsigned count = threads.x * threads.y * threads.z;
  now = 0;
  for (unsigned n = 0; n < count; n++) {
    fibers[0].thread = thread_of(placed(n, count, order), threads);
    body(arguments);
  }
  return nullptr;
}

struct Kernel {
  const char* name;
  void (*run)(void**);
  bool waits;
  char *shared, *shared_end;
};

static const char* launch(const Kernel& kernel, Axes groups, Axes threads, void** pointers, unsigned order) {
  if (stacks == nullptr) stacks = static_cast<char*>(malloc(size_t(most) * stack_bytes));
  body = kernel.run;
  arguments = pointers;
  const unsigned blocks = groups.x * groups.y * groups.z;
  for (unsigned n = 0; n < blocks; n++) {
    block = thread_of(order == 1 ? blocks - 1 - n : n, groups);
    memset(kernel.shared, 0xff, kernel.shared_end - kernel.shared);
    const char* fault = kernel.waits ? run_block(threads, order) : run_alone(threads, order);
    if (fault == nullptr) continue;
    // Threads that were left in the midst of the kernel begin anew.
    for (Fiber& f : fibers) f.begun = false;
    return fault;
  }
  return nullptr;
}

template <size_t... I> struct Indices {};
template <size_t N, size_t... I> struct Count : Count<N - 1, N - 1, I...> {};
template <size_t... I> struct Count<0, I...> { using All = Indices<I...>; };
template <auto kernel> struct Call;
template <class... P, void (*kernel)(P...)> struct Call<kernel> {
  template <size_t... I> static void with(void** a, Indices<I...>) { kernel(static_cast<P>(a[I])...); }
  static void run(void** a) { with(a, typename Count<sizeof...(P)>::All()); }
};
}  // namespace on_processor

#define threadIdx (on_processor::fibers[on_processor::now].thread)
#define blockIdx (on_processor::block)
#define __syncthreads() on_processor::barrier<__COUNTER__>()
template <class T> T __shfl_sync(unsigned mask, T value, unsigned lane) {
  return on_processor::exchange(mask, value, lane % 32);
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, unsigned turned) {
  return on_processor::exchange(mask, value, on_processor::now % 32 ^ turned);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned by) {
  return on_processor::exchange(mask, value, on_processor::now % 32 + by);
}
