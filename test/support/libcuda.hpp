// A driver of CUDA for tests: the entries that inarch calls, over memory of the host. Work waits in a queue until
// somebody asks whether it is done. Kernels are printed CUDA on the processor; a module says by its text which.
// Errors come when they are asked for.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace libcuda {
using on_processor::Kernel;
typedef uint64_t Word;
struct Known { unsigned hash; unsigned length; const char* entry; unsigned params; Axes threads; Kernel kernel; unsigned given; };
typedef std::function<int()> Work;

extern const Known known[];
extern const unsigned known_count;

static int version = 12040, capability = 90, devices = 2;
static std::map<std::string, int> calls;
static std::string failing;
static int failing_after = 0, failing_code = 0;
static Word current = 0;

// Several threads assemble.
static std::mutex entering;
static int enter(const char* call) {
  std::lock_guard<std::mutex> alone(entering);
  calls[call]++;
  if (failing == call && failing_after-- == 0) {
    failing = "";
    return failing_code;
  }
  // Whatever touches a GPU needs a context.
  return 0;
}

// What was allocated, by address.
static std::map<Word, size_t> memory;
static bool is_inside(Word at, size_t bytes) {
  auto next = memory.upper_bound(at);
  if (next == memory.begin()) return false;
  --next;
  return at + bytes <= next->first + next->second;
}

// Those that assembled something.
static std::set<std::thread::id> assemblers;
static std::deque<Work> queue;
static Word done = 0, given = 0;
static std::vector<Work>* recording = nullptr;
// The first error of work: every later call returns it.
static int broken = 0;

static void give(Work work) {
  if (recording) {
    recording->push_back(work);
    return;
  }
  queue.push_back(work);
  given++;
}
static void step() {
  Work work = queue.front();
  queue.pop_front();
  done++;
  if (broken == 0) broken = work();
}
static void finish() { while (!queue.empty()) step(); }

// What launches may give to a kernel.
static std::map<const Known*, unsigned> allowed;
static int most_given() { return capability == 80 ? 166912 : capability == 90 ? 232448 : 101376; }

struct Module { std::string text; };
struct Link { std::string text, cubin; char* log; };
struct Graph { std::vector<Work> works; };
struct Event { Word at; };

static int copy(Word to, Word from, size_t bytes, bool to_gpu, bool from_gpu) {
  if ((to_gpu && !is_inside(to, bytes)) || (from_gpu && !is_inside(from, bytes))) return 700;
  memcpy((void*)to, (void*)from, bytes);
  return 0;
}
}  // namespace libcuda

using namespace libcuda;
#define ENTER if (int code = enter(__func__)) return code; if (broken) return broken;
#define API extern "C" __attribute__((visibility("default"))) int

API libcuda_set(int v, int c, int d) { version = v; capability = c; devices = d; return 0; }
/** The call of this name fails after so many that do not. */
API libcuda_fail(const char* call, int code, int after) {
  failing = call; failing_code = code; failing_after = after;
  return 0;
}
API libcuda_count(const char* call) { return calls[call]; }
/** Threads that assembled something, less this one. */
API libcuda_assemblers() { return assemblers.size() - assemblers.count(std::this_thread::get_id()); }
/** What is allocated, and what was given and is not done. */
API libcuda_left() { return memory.size(); }
API libcuda_reset() {
  calls.clear(); memory.clear(); queue.clear(); assemblers.clear();
  failing = ""; broken = 0; version = 12040; capability = 90; devices = 2;
  return 0;
}

API cuInit(unsigned) { ENTER return 0; }
API cuDriverGetVersion(int* v) { ENTER *v = version; return 0; }
API cuDeviceGetCount(int* n) { ENTER *n = devices; return 0; }
API cuDeviceGet(int* d, int i) { ENTER if (i >= devices) return 101; *d = i; return 0; }
API cuDeviceGetName(char* s, int n, int d) { ENTER snprintf(s, n, "Test GPU %d", d); return 0; }
API cuDeviceGetAttribute(int* v, int a, int) {
  ENTER
  *v = a == 75 ? capability / 10 : a == 76 ? capability % 10 : a == 97 ? most_given() : -1;
  return 0;
}
API cuDeviceTotalMem_v2(size_t* b, int) { ENTER *b = size_t(8) << 30; return 0; }
API cuDevicePrimaryCtxRetain(Word* c, int d) { ENTER *c = 100 + d; return 0; }
API cuDevicePrimaryCtxRelease_v2(int) { ENTER return 0; }
API cuCtxSetCurrent(Word c) { ENTER current = c; return 0; }
API cuMemGetInfo_v2(size_t* f, size_t* t) { ENTER *f = size_t(1) << 30; *t = size_t(8) << 30; return 0; }
API cuMemAlloc_v2(Word* a, size_t n) {
  ENTER
  if (n == 0 || current == 0) return 1;
  const size_t whole = (n + 255) / 256 * 256;
  *a = (Word)aligned_alloc(256, whole);
  memset((void*)*a, 0xff, whole);
  memory[*a] = n;
  return 0;
}
API cuMemFree_v2(Word a) {
  ENTER
  finish();
  if (memory.erase(a) == 0) return 1;
  free((void*)a);
  return broken;
}
API cuMemHostAlloc(Word* a, size_t n, unsigned) { ENTER *a = (Word)aligned_alloc(4096, (n + 4095) / 4096 * 4096); return 0; }
API cuMemFreeHost(Word a) { ENTER finish(); free((void*)a); return 0; }
API cuMemcpyHtoD_v2(Word to, Word from, size_t n) { ENTER finish(); return broken ? broken : copy(to, from, n, true, false); }
API cuMemcpyDtoH_v2(Word to, Word from, size_t n) { ENTER finish(); return broken ? broken : copy(to, from, n, false, true); }
API cuMemcpyHtoDAsync_v2(Word to, Word from, size_t n, Word) {
  ENTER
  give([=] { return copy(to, from, n, true, false); });
  return 0;
}
API cuMemcpyDtoHAsync_v2(Word to, Word from, size_t n, Word) {
  ENTER
  give([=] { return copy(to, from, n, false, true); });
  return 0;
}
API cuMemcpyDtoDAsync_v2(Word to, Word from, size_t n, Word) {
  ENTER
  give([=] { return copy(to, from, n, true, true); });
  return 0;
}
API cuMemsetD8Async(Word to, unsigned char v, size_t n, Word) {
  ENTER
  give([=] { if (!is_inside(to, n)) return 700; memset((void*)to, v, n); return 0; });
  return 0;
}
API cuStreamCreate(Word* s, unsigned) { ENTER *s = 7; return 0; }
API cuStreamSynchronize(Word) { ENTER finish(); return broken; }
API cuStreamDestroy_v2(Word) { ENTER return 0; }
API cuStreamBeginCapture_v2(Word, int) { ENTER recording = new std::vector<Work>; return 0; }
API cuStreamEndCapture(Word, Graph** g) {
  // What is recorded ends whatever happens.
  std::vector<Work>* works = recording;
  recording = nullptr;
  *g = new Graph{*works};
  delete works;
  ENTER return 0;
}
API cuGraphInstantiateWithFlags(Graph** e, Graph* g, Word) { ENTER *e = new Graph{*g}; return 0; }
API cuGraphLaunch(Graph* e, Word) {
  ENTER
  for (const Work& work : e->works) give(work);
  return 0;
}
API cuGraphExecDestroy(Graph* e) { ENTER finish(); delete e; return 0; }
API cuGraphDestroy(Graph* g) { ENTER delete g; return 0; }
API cuEventCreate(Event** e, unsigned) { ENTER *e = new Event{0}; return 0; }
API cuEventRecord(Event* e, Word) { ENTER e->at = given; return 0; }
API cuEventQuery(Event* e) {
  ENTER
  if (e->at <= done) return broken;
  step();
  return broken ? broken : e->at <= done ? 0 : 600;
}
API cuEventSynchronize(Event* e) { ENTER while (e->at > done) step(); return broken; }
API cuEventElapsedTime(float* ms, Event*, Event*) { ENTER *ms = 0.25f; return 0; }
API cuEventDestroy_v2(Event* e) { ENTER delete e; return 0; }
API cuLinkCreate_v2(unsigned count, int* options, void** values, Link** state) {
  ENTER
  if (count != 2 || options[0] != 5 || options[1] != 6) return 1;
  *state = new Link{"", "", (char*)values[0]};
  return 0;
}
API cuLinkAddData_v2(Link* link, int type, char* data, size_t bytes, const char*, unsigned, int*, void**) {
  if (int code = enter(__func__)) {
    strcpy(link->log, "ptxas says what is wrong");
    return code;
  }
  if (type != 1 || data[bytes - 1] != 0) return 218;
  {
    std::lock_guard<std::mutex> alone(entering);
    assemblers.insert(std::this_thread::get_id());
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  link->text = data;
  return 0;
}
API cuLinkComplete(Link* link, const char** cubin, size_t* bytes) {
  ENTER
  link->cubin = "cubin\n" + link->text;
  *cubin = link->cubin.c_str();
  *bytes = link->cubin.size() + 1;
  return 0;
}
API cuLinkDestroy(Link* link) { ENTER delete link; return 0; }
API cuModuleLoadData(Module** module, const char* image) {
  ENTER
  const bool is_ptx = strncmp(image, ".version", 8) == 0;
  if (!is_ptx && strncmp(image, "cubin\n", 6) != 0) return 200;
  *module = new Module{is_ptx ? image : image + 6};
  return 0;
}
API cuModuleGetFunction(const Known** function, Module* module, const char* entry) {
  ENTER
  unsigned hash = 2166136261u;
  for (unsigned char c : module->text) hash = (hash ^ c) * 16777619u;
  for (unsigned i = 0; i < known_count; i++) {
    const Known& one = known[i];
    if (one.hash != hash || one.length != module->text.size() || strcmp(one.entry, entry) != 0) continue;
    *function = &one;
    allowed.erase(&one);
    return 0;
  }
  return 500;
}
API cuFuncSetAttribute(const Known* f, int attribute, int value) {
  ENTER
  if (attribute != 8 || value < 0 || value > most_given()) return 1;
  allowed[f] = value;
  return 0;
}
API cuModuleUnload(Module* module) { ENTER delete module; return 0; }
API cuLaunchKernel(const Known* f, unsigned gx, unsigned gy, unsigned gz, unsigned x, unsigned y, unsigned z,
                   unsigned shared, Word, void** params, void** extra) {
  ENTER
  if (shared != f->given || (shared > 0 && allowed[f] < shared)) return 1;
  if (extra || x != f->threads.x || y != f->threads.y || z != f->threads.z) return 1;
  std::vector<void*> buffers;
  for (unsigned i = 0; i < f->params; i++) buffers.push_back(*(void**)params[i]);
  give([=] {
    for (void* buffer : buffers) if (!is_inside((Word)buffer, 1)) return 700;
    std::vector<void*> all = buffers;
    const char* fault = on_processor::launch(f->kernel, {gx, gy, gz}, {x, y, z}, all.data(), 0);
    if (fault) fprintf(stderr, "%s: %s\n", f->entry, fault);
    return fault ? 719 : 0;
  });
  return 0;
}
API cuGetErrorName(int code, const char** name) {
  static const std::map<int, const char*> names = {
    {1, "CUDA_ERROR_INVALID_VALUE"}, {2, "CUDA_ERROR_OUT_OF_MEMORY"}, {100, "CUDA_ERROR_NO_DEVICE"},
    {218, "CUDA_ERROR_INVALID_PTX"}, {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {719, "CUDA_ERROR_LAUNCH_FAILED"}, {999, "CUDA_ERROR_UNKNOWN"}};
  const auto found = names.find(code);
  if (found == names.end()) return 1;
  *name = found->second;
  return 0;
}
API cuGetErrorString(int, const char**) { return 1; }
