/**
 * What of the native device is written in C: memory, libraries of kernels, and the threads that run a plan's
 * steps. It is compiled once, and kept.
 *
 * Who calls opens a step that is long enough, and all take parts of its workgroups from one counter, itself
 * included: a step waits for no thread that is not at work on it already, and what a workgroup computes does
 * not depend on who computes it.
 */

export const teamText = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

typedef void run(void *const *buffers, void *scratch, unsigned first, unsigned end, unsigned columns, unsigned rows);

struct step {
  run *run;
  void *const *buffers;
  uint64_t all, columns, rows;
  /* How many workgroups are taken at once. */
  uint64_t part;
  /* Whether other threads are called for it: 0 while nobody knows, 1 yes, 2 no. */
  uint64_t sharing;
  /* Nanoseconds that it took, the last time. */
  uint64_t took;
};

struct team {
  _Alignas(64) atomic_ulong next;
  _Alignas(64) atomic_int active;
  /* The number of the step that may be joined; 0 while there is none. */
  _Alignas(64) atomic_ulong open;
  struct step *step;
  atomic_int isEnding, sleepers;
  _Alignas(64) pthread_mutex_t lock;
  pthread_cond_t news;
  int threads;
  unsigned long steps;
  unsigned long scratchBytes;
  char **scratch;
  pthread_t *others;
};

struct seat { struct team *team; int thread; };

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static inline void rest(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void take(struct team *team, struct step *step, char *scratch) {
  for (;;) {
    const unsigned long first = atomic_fetch_add(&team->next, step->part);
    if (first >= step->all) return;
    const unsigned long end = first + step->part < step->all ? first + step->part : step->all;
    step->run(step->buffers, scratch, first, end, step->columns, step->rows);
  }
}

/* Nanoseconds in which a thread looks for the next step before it sleeps. */
enum { patience = 50000 };

static int isNew(struct team *team, unsigned long last) {
  const unsigned long open = atomic_load(&team->open);
  return (open != 0 && open != last) || atomic_load(&team->isEnding);
}

static void look(struct team *team, unsigned long last) {
  const uint64_t end = now() + patience;
  do {
    for (int i = 0; i < 64; ++i) {
      if (isNew(team, last)) return;
      rest();
    }
  } while (now() < end);
  pthread_mutex_lock(&team->lock);
  atomic_fetch_add(&team->sleepers, 1);
  while (!isNew(team, last)) pthread_cond_wait(&team->news, &team->lock);
  atomic_fetch_sub(&team->sleepers, 1);
  pthread_mutex_unlock(&team->lock);
}

static void *work(void *of) {
  struct seat seat = *(struct seat *)of;
  free(of);
  struct team *team = seat.team;
  for (unsigned long last = 0;;) {
    look(team, last);
    if (atomic_load(&team->isEnding)) return 0;
    atomic_fetch_add(&team->active, 1);
    const unsigned long open = atomic_load(&team->open);
    if (open != 0 && open != last) take(team, team->step, team->scratch[seat.thread]);
    if (open != 0) last = open;
    atomic_fetch_sub(&team->active, 1);
  }
}

static void join(struct team *team, struct step *step) {
  team->step = step;
  atomic_store(&team->open, ++team->steps);
  if (atomic_load(&team->sleepers) == 0) return;
  pthread_mutex_lock(&team->lock);
  pthread_cond_broadcast(&team->news);
  pthread_mutex_unlock(&team->lock);
}

/* Who is not at work by now finds the step closed. */
static void leave(struct team *team) {
  if (atomic_load(&team->open) == 0) return;
  atomic_store(&team->open, 0);
  for (int i = 0; atomic_load(&team->active) != 0; ++i)
    if (i < 4096) rest();
    else sched_yield();
}

/* Nanoseconds of work that other threads are called for. */
enum { worth = 8000 };

static void runStep(struct team *team, struct step *step) {
  atomic_store(&team->next, 0);
  if (team->threads > 1 && step->part < step->all) {
    if (step->sharing == 1) join(team, step);
    else if (step->sharing == 0) {
      /* The first part tells how long the step is. */
      const unsigned long first = atomic_fetch_add(&team->next, step->part);
      const uint64_t start = now();
      step->run(step->buffers, team->scratch[0], first, first + step->part, step->columns, step->rows);
      step->sharing = (now() - start) * step->all / step->part < worth ? 2 : 1;
      if (step->sharing == 1) join(team, step);
    }
  }
  take(team, step, team->scratch[0]);
  leave(team);
}

static int hold(struct team *team, unsigned long bytes) {
  if (bytes <= team->scratchBytes) return 1;
  const unsigned long all = (bytes + 4095) / 4096 * 4096;
  for (int i = 0; i < team->threads; ++i) {
    void *larger;
    if (posix_memalign(&larger, 4096, all) != 0) return 0;
    free(team->scratch[i]);
    team->scratch[i] = larger;
  }
  team->scratchBytes = all;
  return 1;
}

/* How many steps were run: fewer than there are once stopped; -1 where there is no memory. */
long team_run(struct team *team, struct step *steps, long count, unsigned long scratch, atomic_int *stop, int isTimed) {
  if (!hold(team, scratch)) return -1;
  for (long i = 0; i < count; ++i) {
    if (stop && atomic_load(stop)) return i;
    const uint64_t start = isTimed ? now() : 0;
    runStep(team, steps + i);
    if (isTimed) steps[i].took = now() - start;
  }
  return count;
}

/* How many threads a team has. */
int team_threads(struct team *team) { return team->threads; }

void team_close(struct team *team) {
  pthread_mutex_lock(&team->lock);
  atomic_store(&team->isEnding, 1);
  pthread_cond_broadcast(&team->news);
  pthread_mutex_unlock(&team->lock);
  for (int i = 1; i < team->threads; ++i) pthread_join(team->others[i], 0);
  for (int i = 0; i < team->threads; ++i) free(team->scratch[i]);
  free(team->scratch);
  free(team->others);
  free(team);
}

/* With as many threads as can be had, up to those asked for. */
struct team *team_open(int threads) {
  /* Its threads run this code until the process ends. */
  Dl_info info;
  if (dladdr((void *)team_open, &info) && info.dli_fname) dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
  struct team *team;
  if (posix_memalign((void **)&team, 64, sizeof *team) != 0) return 0;
  memset(team, 0, sizeof *team);
  pthread_mutex_init(&team->lock, 0);
  pthread_cond_init(&team->news, 0);
  team->scratch = calloc(threads, sizeof(char *));
  team->others = calloc(threads, sizeof(pthread_t));
  team->threads = threads;
  for (int i = 1; i < threads; ++i) {
    struct seat *seat = malloc(sizeof *seat);
    *seat = (struct seat){team, i};
    if (pthread_create(team->others + i, 0, work, seat) != 0) {
      free(seat);
      team->threads = i;
      break;
    }
  }
  return team;
}

/* Large memory lies in pages of two megabytes, where the system has such. */
enum { hugePage = 2 << 20, large = 4 << 20 };

void *memory_take(unsigned long bytes) {
  void *all;
  if (posix_memalign(&all, bytes < large ? 64 : hugePage, bytes) != 0) return 0;
#ifdef MADV_HUGEPAGE
  if (bytes >= large) madvise(all, bytes, MADV_HUGEPAGE);
#endif
  return all;
}

void memory_give(void *all) { free(all); }

void *library_open(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }
const char *library_error(void) { const char *text = dlerror(); return text ? text : ""; }
void *library_symbol(void *library, const char *name) { return dlsym(library, name); }
void library_close(void *library) { dlclose(library); }
`;
