#include "ops/app/http_listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace gimbal {
namespace {

constexpr int backlog = 8;

const char* phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 503: return "Service Unavailable";
    default: return "Error";
  }
}

std::string response(const HttpAnswer& answer) {
  return "HTTP/1.1 " + std::to_string(answer.status) + " " + phrase(answer.status) +
         "\r\nContent-Type: " + answer.content_type +
         "\r\nContent-Length: " + std::to_string(answer.body.size()) +
         "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" + answer.body;
}

HttpAnswer plain(int status) {
  return HttpAnswer{status, "text/plain; charset=utf-8", std::string{phrase(status)} + "\n"};
}

// "GET /path HTTP/1.1" of the request's first line; empty when it is not that.
std::string_view path_of(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const auto first = line.find(' ');
  const auto second = line.rfind(' ');
  if (first == std::string_view::npos || second <= first + 1) return {};
  if (line.substr(second + 1).substr(0, 7) != "HTTP/1.") return {};
  const std::string_view target = line.substr(first + 1, second - first - 1);
  if (target.front() != '/') return {};
  return target.substr(0, target.find('?'));
}

}  // namespace

HttpListener::~HttpListener() {
  for (const Client& c : clients_) ::close(c.fd);
  if (listener_ >= 0) ::close(listener_);
}

Outcome HttpListener::open(const ListenAddress& address) {
  const std::string shown = address.host + ":" + std::to_string(address.port);
  sockaddr_storage where{};
  socklen_t size = 0;
  if (!make_address(address, where, size)) return Outcome::failure(shown + " is no IP address");
  listener_ = ::socket(where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener_ < 0) return Outcome::system("make a socket for", shown);
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&where), size) != 0 ||
      ::listen(listener_, backlog) != 0) {
    return Outcome::system("listen on", shown);
  }
  if (::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size) != 0)
    return Outcome::system("name the socket of", shown);
  port_ =
      ntohs(where.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in*>(&where)->sin_port
                                       : reinterpret_cast<const sockaddr_in6*>(&where)->sin6_port);
  return {};
}

void HttpListener::accept_all(Clock::time_point now) {
  for (std::size_t taken = 0; taken < clients_max; ++taken) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (clients_.size() >= clients_max) {
      ::close(clients_.front().fd);
      clients_.pop_front();
      ++counters_.evicted;
    }
    clients_.push_back(Client{fd, now + patience, {}, {}, 0, false, false});
  }
}

void HttpListener::respond(Client& client) {
  const std::string_view head = client.in;
  const std::string_view path = path_of(head);
  HttpAnswer answer;
  if (path.empty()) {
    answer = plain(400);
  } else if (head.substr(0, 4) != "GET ") {
    answer = plain(405);
  } else {
    answer = answer_(path);
  }
  if (path.empty() || answer.status == 405) {
    ++counters_.refused;
  } else {
    ++counters_.answered;
  }
  client.out = response(answer);
  client.answering = true;
}

void HttpListener::receive(Client& client) {
  std::array<char, request_bytes_max> chunk{};
  const ssize_t got = ::recv(client.fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    client.done = true;
    return;
  }
  client.in.append(chunk.data(), static_cast<std::size_t>(got));
  if (client.in.find("\r\n\r\n") != std::string::npos) return respond(client);
  if (client.in.size() < request_bytes_max) return;
  ++counters_.refused;
  client.out = response(plain(400));
  client.answering = true;
}

void HttpListener::send_some(Client& client) {
  const ssize_t put = ::send(client.fd, client.out.data() + client.sent,
                             client.out.size() - client.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (put <= 0) {
    client.done = true;
    return;
  }
  client.sent += static_cast<std::size_t>(put);
  if (client.sent < client.out.size()) return;
  ::shutdown(client.fd, SHUT_WR);
  client.done = true;
}

std::size_t HttpListener::poll_once() {
  if (listener_ < 0) return 0;
  const std::uint64_t before = counters_.answered;
  const Clock::time_point now = Clock::now();
  accept_all(now);
  for (Client& c : clients_) {
    if (!c.answering) receive(c);
    if (c.answering && !c.done) send_some(c);
    if (c.done || now < c.deadline) continue;
    ++counters_.timed_out;
    c.done = true;
  }
  for (auto at = clients_.begin(); at != clients_.end();) {
    if (at->done) ::close(at->fd);
    at = at->done ? clients_.erase(at) : std::next(at);
  }
  return static_cast<std::size_t>(counters_.answered - before);
}

}  // namespace gimbal
