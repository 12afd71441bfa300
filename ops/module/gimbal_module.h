/*
 * gimbal_module.h - how a risk module of a third party talks to a gimbal bot. Stable ABI, 1.
 *
 * A module is a process of its own. It maps two files of the directory that the bot made for it:
 *   events     the bot writes, the module reads: instrument names and a ring of 64-byte events
 *   envelope   the module writes, the bot reads: the largest buy and sell of each instrument
 * The bot never waits for a module. A module that is late, dead or says nonsense denies growth;
 * nothing a module says allows more than the bot's own limits do. Page: ops/docs/risk-modules.md.
 *
 * C11 with GNU extensions (gcc, clang; also valid C++), Linux, x86-64 (little endian). No library
 * is needed: everything is static inline. Functions give 0 or a positive answer, or -errno.
 * Numbers at 1e-9 of their unit are called nano; instants are ns of CLOCK_MONOTONIC.
 */
#ifndef GIMBAL_MODULE_H
#define GIMBAL_MODULE_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GIMBAL_ABI 1u
#define GIMBAL_EVENTS_MAGIC 0x31545645424D47ull   /* "GMBEVT1" */
#define GIMBAL_ENVELOPE_MAGIC 0x31564E45424D47ull /* "GMBENV1" */
#define GIMBAL_SLOTS 16384u                       /* events in the ring */
#define GIMBAL_NAMES_MAX 16384u                   /* instruments */
#define GIMBAL_ROWS_MAX 1024u                     /* rows of one envelope */
#define GIMBAL_NO_OPINION INT64_MAX               /* an amount that limits nothing */

/* gimbal_row.veto. Any other bit makes the whole envelope invalid. */
#define GIMBAL_VETO_GROWTH 1u /* only what lowers risk: exits and hedges */
#define GIMBAL_VETO_BUY 2u    /* no buys but exits */
#define GIMBAL_VETO_SELL 4u   /* no sells but exits */

/* One event, as the bot's core took it (ops/docs/journal-format.md). A payload over 32 bytes is
 * 2-4 consecutive events of one kind: the low half of `part` is this one's number from 1, the high
 * half how many there are. */
struct gimbal_event {
  uint64_t seq_kind_flags; /* sequence number (48 bits), kind (8), flags (8) */
  int64_t recv_ns;
  int64_t exchange_unix_ns; /* the venue's clock; 0: not given */
  uint32_t queue_ns;        /* between receive and step */
  uint16_t instrument;      /* 0xFFFF: none */
  uint8_t venue;
  uint8_t part;
  uint8_t payload[32];
};

/* Kinds whose payloads are below; all numbers: engine/core/event.hpp. */
enum {
  GIMBAL_BOOT = 1,
  GIMBAL_BOOK_DELTA = 2,
  GIMBAL_BOOK_RESET = 3,
  GIMBAL_TRADE = 4,
  GIMBAL_TICKER = 5, /* 3 parts */
  GIMBAL_INDEX_PRICE = 6,
  GIMBAL_FILL = 9, /* 3 parts */
  GIMBAL_POSITION_REPORT = 11,
  GIMBAL_RECONCILE_MARK = 22
};

struct gimbal_book_delta { /* a level's new total amount; zero deletes */
  int64_t price_nano, amount_nano;
  uint64_t change_id;
  uint8_t side; /* 0 buy, 1 sell */
  uint8_t zero[7];
};
struct gimbal_trade {
  int64_t price_nano, amount_nano;
  uint64_t trade_seq;
  uint8_t taker, liquidation;
  uint8_t zero[6];
};
struct gimbal_ticker { /* INT64_MIN: absent */
  int64_t mark_nano, index_nano, underlying_nano, mark_iv_nano;
  int64_t best_bid_nano, best_ask_nano, bid_iv_nano, ask_iv_nano;
  int64_t delta_nano, gamma_nano, vega_nano, funding_8h_nano;
};
struct gimbal_position_report {
  int64_t amount_nano; /* signed */
  int64_t average_nano, mark_nano, delta_nano;
};
struct gimbal_reconcile_mark {
  uint8_t phase; /* 0 begin, 1 complete, 2 failed */
  uint8_t zero[3];
  uint32_t open_orders, positions, trades;
  uint64_t generation;
  int64_t as_of_unix_ns;
};

/* First 4096 bytes of `events`; then GIMBAL_NAMES_MAX names, then GIMBAL_SLOTS events. */
struct gimbal_events_head {
  uint64_t magic; /* 0 while the bot starts */
  uint32_t abi, slots, names_max;
  uint32_t epoch; /* grows with every start of the bot */
  uint64_t names; /* instruments that have a name */
  int64_t ttl_max_ns;
  char module[40];
  uint8_t zero[48];
  /* offset 128 */
  uint64_t claimed; /* events that have been or are being written */
  uint64_t written;
  uint8_t rest[3952];
};
struct gimbal_name {
  char text[48]; /* as the venue spells it, zero padded */
  int64_t lot_nano;
  uint8_t venue, underlying, kind, option; /* engine/core/instrument.hpp */
  uint8_t zero[4];
};

struct gimbal_row {
  uint16_t instrument;
  uint8_t veto;
  uint8_t zero[5];
  int64_t buy_max_nano;  /* the most that may still be bought, open orders counted as filled */
  int64_t sell_max_nano; /* in the venue's unit of amount; GIMBAL_NO_OPINION or >= 0 */
};

/* The whole of `envelope`. `crc` is CRC-32 (as zlib's) of the bytes from offset 24 to the end of
 * the last row. Rows ascend by instrument; `others` is for every instrument without a row, its own
 * number is 0xFFFF. */
struct gimbal_envelope {
  uint64_t magic;
  uint32_t abi, crc;
  uint64_t change; /* odd while it is being written */
  /* offset 24 */
  uint32_t epoch; /* of the events head when it was made */
  uint32_t rows;
  uint64_t as_of; /* sequence number of the newest event that was looked at */
  int64_t made_ns;
  int64_t ttl_ns;
  uint64_t lost; /* events that the module missed so far */
  struct gimbal_row others;
  uint8_t zero[40];
  /* offset 128 */
  struct gimbal_row row[GIMBAL_ROWS_MAX];
};

#define GIMBAL_EVENTS_BYTES                                                  \
  (sizeof(struct gimbal_events_head) +                                       \
   (size_t)GIMBAL_NAMES_MAX * sizeof(struct gimbal_name) +                   \
   (size_t)GIMBAL_SLOTS * sizeof(struct gimbal_event))

/* What a module holds; zero it, then gimbal_module_open. */
struct gimbal_module {
  const struct gimbal_events_head* head;
  const struct gimbal_name* names;
  const struct gimbal_event* ring;
  struct gimbal_envelope* page;
  int envelope_fd;
  uint32_t epoch;
  uint64_t cursor; /* next event */
  uint64_t seq;    /* newest event taken */
  uint64_t lost;
};

static inline uint64_t gimbal_load(const uint64_t* from) {
  return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}
static inline void gimbal_store(uint64_t* to, uint64_t value) {
  __atomic_store_n(to, value, __ATOMIC_RELEASE);
}

static inline int64_t gimbal_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + (int64_t)t.tv_nsec;
}

/* CRC-32 of IEEE 802.3, four bits at a time. Start with 0. */
static inline uint32_t gimbal_crc32(uint32_t crc, const void* data, size_t bytes) {
  static const uint32_t table[16] = {0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu,
                                     0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
                                     0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
                                     0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  const unsigned char* at = (const unsigned char*)data;
  crc = ~crc;
  for (size_t i = 0; i < bytes; ++i) {
    crc ^= at[i];
    crc = (crc >> 4) ^ table[crc & 15u];
    crc = (crc >> 4) ^ table[crc & 15u];
  }
  return ~crc;
}
/* Over an envelope of `rows` rows, from offset 24. */
static inline uint32_t gimbal_envelope_crc(const struct gimbal_envelope* e, uint32_t rows) {
  return gimbal_crc32(0, (const unsigned char*)e + 24, 104 + (size_t)rows * sizeof e->row[0]);
}

static inline uint64_t gimbal_seq(const struct gimbal_event* e) {
  return e->seq_kind_flags & ((1ull << 48) - 1);
}
static inline unsigned gimbal_kind(const struct gimbal_event* e) {
  return (unsigned)(e->seq_kind_flags >> 48) & 0xFFu;
}

static inline const void* gimbal_map_(const char* directory, const char* file, size_t bytes,
                                      int writable, int* kept) {
  char path[4096];
  struct stat info;
  void* data;
  const int length = snprintf(path, sizeof path, "%s/%s", directory, file);
  if (length < 0 || (size_t)length >= sizeof path) {
    errno = ENAMETOOLONG;
    return NULL;
  }
  const int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return NULL;
  if (fstat(fd, &info) != 0 || (size_t)info.st_size != bytes) {
    close(fd);
    errno = EPROTO;
    return NULL;
  }
  data = mmap(NULL, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) {
    close(fd);
    return NULL;
  }
  if (kept != NULL)
    *kept = fd;
  else
    close(fd);
  return data;
}

/* Begins with the bot's present run at its newest event; what was before is not known. */
static inline void gimbal_module_follow_(struct gimbal_module* m) {
  m->epoch = m->head->epoch;
  m->cursor = gimbal_load(&m->head->written);
  m->seq = 0;
}

static inline void gimbal_module_close(struct gimbal_module* m) {
  if (m->head != NULL) munmap((void*)(uintptr_t)m->head, GIMBAL_EVENTS_BYTES);
  if (m->page != NULL) {
    munmap(m->page, sizeof *m->page);
    close(m->envelope_fd);
  }
  memset(m, 0, sizeof *m);
}

/* -ENOENT: the bot has not made the files yet; -EBUSY: another process is this module already;
 * -EPROTO: files of another version. The lock that is taken tells the bot that the module lives: it
 * ends with the process, or when the process closes any descriptor of the file. */
static inline int gimbal_module_open(struct gimbal_module* m, const char* directory) {
  memset(m, 0, sizeof *m);
  m->head = (const struct gimbal_events_head*)gimbal_map_(directory, "events", GIMBAL_EVENTS_BYTES,
                                                          0, NULL);
  if (m->head == NULL) return -errno;
  m->page = (struct gimbal_envelope*)(uintptr_t)gimbal_map_(directory, "envelope", sizeof *m->page,
                                                            1, &m->envelope_fd);
  int error = m->page == NULL ? errno : 0;
  if (error == 0) {
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (fcntl(m->envelope_fd, F_SETLK, &lock) != 0) error = EBUSY;
  }
  if (error == 0 && (gimbal_load(&m->head->magic) != GIMBAL_EVENTS_MAGIC ||
                     m->head->abi != GIMBAL_ABI || m->head->slots != GIMBAL_SLOTS)) {
    error = EPROTO;
  }
  if (error != 0) {
    gimbal_module_close(m);
    return -error;
  }
  m->names = (const struct gimbal_name*)(const void*)(m->head + 1);
  m->ring = (const struct gimbal_event*)(const void*)(m->names + GIMBAL_NAMES_MAX);
  gimbal_module_follow_(m);
  return 0;
}

/* 1: *out is the next event; 0: none now. -EOVERFLOW: the bot was faster, events were lost (m->lost
 * counts), the next call goes on with the newest. -ESTALE: the bot started anew, forget everything
 * but m; the next call goes on with the new run. */
static inline int gimbal_module_next(struct gimbal_module* m, struct gimbal_event* out) {
  if (gimbal_load(&m->head->magic) != GIMBAL_EVENTS_MAGIC) return 0;
  if (m->head->epoch != m->epoch) {
    gimbal_module_follow_(m);
    return -ESTALE;
  }
  const uint64_t written = gimbal_load(&m->head->written);
  if (written == m->cursor) return 0;
  if (written - m->cursor <= GIMBAL_SLOTS) {
    const uint64_t* from = (const uint64_t*)(const void*)&m->ring[m->cursor % GIMBAL_SLOTS];
    uint64_t words[sizeof *out / 8];
    for (size_t i = 0; i < sizeof words / 8; ++i) words[i] = gimbal_load(from + i);
    if (gimbal_load(&m->head->claimed) - m->cursor <= GIMBAL_SLOTS) {
      memcpy(out, words, sizeof *out);
      ++m->cursor;
      m->seq = gimbal_seq(out);
      return 1;
    }
  }
  m->lost += written - m->cursor;
  m->cursor = written;
  return -EOVERFLOW;
}

/* The number of an instrument by the venue's name, or -ENOENT. Numbers hold for one run. */
static inline int gimbal_module_find(const struct gimbal_module* m, const char* name) {
  uint64_t count = gimbal_load(&m->head->names);
  if (count > GIMBAL_NAMES_MAX) count = GIMBAL_NAMES_MAX;
  for (uint64_t i = 0; i < count; ++i) {
    if (strncmp(m->names[i].text, name, sizeof m->names[i].text) == 0) return (int)i;
  }
  return -ENOENT;
}

static inline struct gimbal_row gimbal_free_row(uint16_t instrument) {
  struct gimbal_row row;
  memset(&row, 0, sizeof row);
  row.instrument = instrument;
  row.buy_max_nano = row.sell_max_nano = GIMBAL_NO_OPINION;
  return row;
}

/* Publishes: `rows` ascending by instrument, at most GIMBAL_ROWS_MAX (else -EINVAL); `others`:
 * every other instrument, NULL: no opinion. To be repeated well within `ttl_ns`. */
static inline int gimbal_module_publish(struct gimbal_module* m, const struct gimbal_row* rows,
                                        uint32_t count, const struct gimbal_row* others,
                                        int64_t ttl_ns) {
  struct gimbal_envelope* e = m->page;
  if (count > GIMBAL_ROWS_MAX) return -EINVAL;
  const uint64_t change = gimbal_load(&e->change) | 1u;
  __atomic_exchange_n(&e->change, change, __ATOMIC_ACQ_REL);
  e->magic = GIMBAL_ENVELOPE_MAGIC;
  e->abi = GIMBAL_ABI;
  e->epoch = m->epoch;
  e->rows = count;
  e->as_of = m->seq;
  e->made_ns = gimbal_now_ns();
  e->ttl_ns = ttl_ns;
  e->lost = m->lost;
  e->others = others != NULL ? *others : gimbal_free_row(0xFFFFu);
  memset(e->zero, 0, sizeof e->zero);
  if (count > 0) memcpy(e->row, rows, (size_t)count * sizeof *rows);
  e->crc = gimbal_envelope_crc(e, count);
  gimbal_store(&e->change, change + 1);
  return 0;
}

#endif
