#include "engine/wire/uring.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gimbal {
namespace {

constexpr unsigned submissions = 256;
constexpr std::uint64_t cancel_tag = ~0ULL;
constexpr int buffer_group = 0;

constexpr std::uint64_t tag_of(std::uint16_t slot, std::uint16_t generation) noexcept {
  return (static_cast<std::uint64_t>(generation) << 16) | slot;
}

}  // namespace

UringBackend::UringBackend(const PollerConfig& config)
    : buffer_bytes_{config.buffer_bytes},
      buffers_{static_cast<std::uint32_t>(config.buffers)},
      memory_(config.buffer_bytes * config.buffers) {
  // At most one completion a buffer, plus one end or error a slot.
  first_.items.resize(config.buffers + 2 * poller_slots_max);
  normal_.items.resize(config.buffers + 2 * poller_slots_max);
  ring_open_ = open_ring(config);
}

UringBackend::~UringBackend() {
  if (ring_open_ || provided_ != nullptr) io_uring_queue_exit(&ring_);
  if (provided_ != nullptr) munmap(provided_, provided_bytes_);
}

// The ring starts disabled, so that the thread that polls, not the one that opens, becomes the
// single issuer.
bool UringBackend::open_ring(const PollerConfig& config) noexcept {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE;
  params.cq_entries = std::max<unsigned>(4096, 2 * static_cast<unsigned>(config.buffers));
  open_step_ = "io_uring_setup";
  open_error_ =
      config.uring_refused ? EPERM : -io_uring_queue_init_params(submissions, &ring_, &params);
  if (open_error_ != 0) return false;
  open_step_ = "buffer ring memory";
  provided_bytes_ = buffers_ * sizeof(io_uring_buf);
  void* memory =
      mmap(nullptr, provided_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    open_error_ = errno;
    io_uring_queue_exit(&ring_);
    return false;
  }
  provided_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_ring_init(provided_);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  registration.ring_entries = buffers_;
  registration.bgid = buffer_group;
  open_step_ = "registering the buffer ring";
  open_error_ = -io_uring_register_buf_ring(&ring_, &registration, 0);
  if (open_error_ != 0) return false;
  for (std::uint32_t i = 0; i < buffers_; ++i) {
    io_uring_buf_ring_add(provided_, buffer(i), static_cast<unsigned>(buffer_bytes_),
                          static_cast<unsigned short>(i), io_uring_buf_ring_mask(buffers_),
                          static_cast<int>(i));
  }
  io_uring_buf_ring_advance(provided_, static_cast<int>(buffers_));
  return true;
}

// liburing 2.3 declares io_uring_enable_rings() but its shared library does not export it.
bool UringBackend::enable() noexcept {
  if (!enabled_) {
    enabled_ = ::syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS,
                         nullptr, 0) == 0;
  }
  return enabled_;
}

bool UringBackend::arm(std::uint16_t number) noexcept {
  Slot& slot = slots_[number];
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) return false;
  io_uring_prep_recv_multishot(sqe, slot.fd, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = buffer_group;
  sqe->user_data = tag_of(number, slot.generation);
  slot.armed = io_uring_submit(&ring_) >= 0;
  return slot.armed;
}

void UringBackend::cancel(std::uint16_t number) noexcept {
  Slot& slot = slots_[number];
  if (!slot.armed) return;
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) return;
  io_uring_prep_cancel64(sqe, tag_of(number, slot.generation), 0);
  sqe->user_data = cancel_tag;
  (void)io_uring_submit(&ring_);
}

bool UringBackend::add(int fd, std::uint16_t number, Priority priority) noexcept {
  if (number >= poller_slots_max || slots_[number].fd >= 0 || fd < 0 || !enable()) return false;
  Slot& slot = slots_[number];
  slot = {fd, priority, static_cast<std::uint16_t>(slot.generation + 1), false, false, false};
  if (arm(number)) return true;
  slot.fd = -1;
  return false;
}

void UringBackend::remove(std::uint16_t number) noexcept {
  if (number >= poller_slots_max || slots_[number].fd < 0) return;
  cancel(number);
  Slot& slot = slots_[number];
  slot.fd = -1;
  slot.armed = false;
  ++slot.generation;
  drop_of(number, first_);
  drop_of(number, normal_);
}

// What waits of a removed slot is not the next tenant's.
void UringBackend::drop_of(std::uint16_t number, Queue& queue) noexcept {
  for (std::size_t left = queue.size; left > 0; --left) {
    const Received chunk = queue.pop();
    if (chunk.slot == number) {
      done(chunk);
    } else {
      queue.push(chunk);
    }
  }
}

// A paused slot's receive is cancelled: left armed it would go on filling the shared buffers.
void UringBackend::set_paused(std::uint16_t number, bool paused) noexcept {
  if (number >= poller_slots_max || slots_[number].fd < 0) return;
  Slot& slot = slots_[number];
  if (slot.paused == paused) return;
  slot.paused = paused;
  if (paused) {
    cancel(number);
  } else if (!slot.armed) {
    rearm_ = true;
  }
}

void UringBackend::begin() noexcept {
  harvest();
  if (!rearm_) return;
  rearm_ = false;
  for (std::uint16_t i = 0; i < poller_slots_max; ++i) {
    const Slot& slot = slots_[i];
    if (slot.fd < 0 || slot.armed || slot.paused || slot.lost) continue;
    if (!arm(i)) rearm_ = true;
  }
}

void UringBackend::harvest() noexcept {
  if (!enable()) return;
  const unsigned flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_ACQUIRE);
  if ((flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0) (void)io_uring_get_events(&ring_);
  io_uring_cqe* cqe = nullptr;
  unsigned head = 0;
  unsigned seen = 0;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    take(*cqe);
    ++seen;
  }
  if (seen > 0) io_uring_cq_advance(&ring_, seen);
}

void UringBackend::take(const io_uring_cqe& cqe) noexcept {
  if (cqe.user_data == cancel_tag) return;
  const bool has_buffer = (cqe.flags & IORING_CQE_F_BUFFER) != 0;
  const std::uint32_t number = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
  const auto index = static_cast<std::uint16_t>(cqe.user_data & 0xFFFF);
  Slot& slot = slots_[index % poller_slots_max];
  if (slot.fd < 0 || cqe.user_data != tag_of(index, slot.generation) || slot.lost) {
    if (has_buffer) recycle(number);
    return;
  }
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) {
    slot.armed = false;
    rearm_ = true;
  }
  if (cqe.res == -ENOBUFS || cqe.res == -ECANCELED || cqe.res == -EINTR || cqe.res == -EAGAIN)
    return;
  Received chunk;
  chunk.slot = index;
  chunk.buffer = has_buffer ? number + 1 : 0;
  if (cqe.res > 0 && has_buffer) {
    chunk.bytes = {buffer(number), static_cast<std::size_t>(cqe.res)};
  } else {
    chunk.error = cqe.res < 0 ? -cqe.res : 0;
    slot.lost = true;
  }
  (slot.priority == Priority::first ? first_ : normal_).push(chunk);
}

void UringBackend::recycle(std::uint32_t number) noexcept {
  io_uring_buf_ring_add(provided_, buffer(number), static_cast<unsigned>(buffer_bytes_),
                        static_cast<unsigned short>(number), io_uring_buf_ring_mask(buffers_), 0);
  io_uring_buf_ring_advance(provided_, 1);
}

bool UringBackend::next(Received& out) noexcept {
  if (first_.size == 0 && normal_.size > 0) harvest();  // did something urgent come meanwhile?
  Queue& queue = first_.size > 0 ? first_ : normal_;
  if (queue.size == 0) return false;
  out = queue.pop();
  return true;
}

void UringBackend::done(const Received& chunk) noexcept {
  if (chunk.buffer != 0) recycle(chunk.buffer - 1);
}

bool UringBackend::pending() noexcept {
  if (!enable() || first_.size + normal_.size > 0) return true;
  const unsigned flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_ACQUIRE);
  return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0 ||
         io_uring_cq_ready(&ring_) > 0;
}

void UringBackend::wait(int milliseconds) noexcept {
  if (!enable() || first_.size + normal_.size > 0) return;
  __kernel_timespec limit{milliseconds / 1000,
                          static_cast<long long>(milliseconds % 1000) * 1'000'000};
  io_uring_cqe* cqe = nullptr;
  (void)io_uring_wait_cqe_timeout(&ring_, &cqe, &limit);
}

}  // namespace gimbal
