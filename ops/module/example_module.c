/*
 * An example risk module: one instrument's position stays within +-POSITION_MAX, whatever the bot's
 * own limits are. Until it knows the position it allows nothing.
 *
 *   cc -std=gnu11 -O2 -I ops/module -o example_module ops/module/example_module.c
 *   example_module /run/gimbal/module-cap BTC-PERPETUAL 50000 500
 *
 * Arguments: directory, instrument, largest position (the venue's unit), time to live in ms.
 * Exit codes: 0 stopped by SIGTERM or SIGINT, 1 failed, 2 usage.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "gimbal_module.h"

_Static_assert(sizeof(struct gimbal_event) == 64, "an event is 64 bytes");
_Static_assert(offsetof(struct gimbal_envelope, row) == 128, "rows begin at 128");

static volatile sig_atomic_t stopped = 0;
static void stop(int number) {
  (void)number;
  stopped = 1;
}

/* What the module knows. */
struct book {
  int instrument; /* -ENOENT: not listed yet */
  bool known;     /* the position is the venue's */
  int64_t position_nano;
  bool reported;  /* in the picture that is being told */
  bool picture;
};

static void forget(struct book* b) {
  b->instrument = -ENOENT;
  b->known = b->reported = b->picture = false;
  b->position_nano = 0;
}

/* Positions come one by one when they change, and all of them between two reconcile marks. */
static void take(struct book* b, const struct gimbal_event* e) {
  if (gimbal_kind(e) == GIMBAL_POSITION_REPORT && (int)e->instrument == b->instrument) {
    struct gimbal_position_report report;
    memcpy(&report, e->payload, sizeof report);
    b->position_nano = report.amount_nano;
    b->reported = true;
  } else if (gimbal_kind(e) == GIMBAL_RECONCILE_MARK) {
    struct gimbal_reconcile_mark mark;
    memcpy(&mark, e->payload, sizeof mark);
    if (mark.phase == 0) {
      b->picture = true;
      b->reported = false;
    } else if (mark.phase == 1 && b->picture) {
      if (!b->reported) b->position_nano = 0; /* the venue shows none */
      b->known = true;
      b->picture = false;
    }
  }
}

static int64_t room(int64_t max, int64_t held) {
  const int64_t left = max - held;
  return left > 0 ? left : 0;
}

static int publish(struct gimbal_module* m, const struct book* b, int64_t max_nano,
                   int64_t ttl_ns) {
  if (b->instrument < 0) {
    struct gimbal_row nothing = gimbal_free_row(0xFFFFu);
    nothing.veto = GIMBAL_VETO_GROWTH;
    return gimbal_module_publish(m, NULL, 0, &nothing, ttl_ns);
  }
  struct gimbal_row row = gimbal_free_row((uint16_t)b->instrument);
  row.buy_max_nano = b->known ? room(max_nano, b->position_nano) : 0;
  row.sell_max_nano = b->known ? room(max_nano, -b->position_nano) : 0;
  return gimbal_module_publish(m, &row, 1, NULL, ttl_ns);
}

int main(int argc, char** argv) {
  if (argc != 5 || strtod(argv[3], NULL) < 0 || strtod(argv[3], NULL) > 9e9 || atol(argv[4]) <= 0) {
    fprintf(stderr, "usage: %s DIRECTORY INSTRUMENT POSITION_MAX TTL_MS\n", argv[0]);
    return 2;
  }
  const int64_t max_nano = (int64_t)(strtod(argv[3], NULL) * 1e9);
  const int64_t ttl_ns = (int64_t)atol(argv[4]) * 1000000;
  signal(SIGTERM, stop);
  signal(SIGINT, stop);
  struct gimbal_module module;
  const int opened = gimbal_module_open(&module, argv[1]);
  if (opened != 0) {
    fprintf(stderr, "%s: %s\n", argv[1], strerror(-opened));
    return 1;
  }
  struct book book;
  forget(&book);
  int64_t due_ns = 0;
  while (!stopped) {
    struct gimbal_event event;
    int got;
    while ((got = gimbal_module_next(&module, &event)) != 0) {
      if (got == 1)
        take(&book, &event);
      else
        forget(&book); /* events were lost, or the bot started anew */
    }
    if (book.instrument < 0) book.instrument = gimbal_module_find(&module, argv[2]);
    if (gimbal_now_ns() >= due_ns) {
      publish(&module, &book, max_nano, ttl_ns);
      due_ns = gimbal_now_ns() + ttl_ns / 5; /* four may be missed */
    }
    const struct timespec nap = {0, 1000000};
    nanosleep(&nap, NULL);
  }
  gimbal_module_close(&module);
  return 0;
}
