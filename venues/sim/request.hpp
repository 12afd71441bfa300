// A JSON-RPC request as the dialect sees it: parsed by simdjson, kept as plain values. Cold.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/units.hpp"

namespace gimbal::sim {

enum class ParamKind : std::uint8_t { null, boolean, number, text, list, other };

struct Param {
  std::string key;
  ParamKind kind{ParamKind::null};
  std::string text;  // of a text; also of a number or boolean, as written
  double number{0};
  bool flag{false};
  bool untyped{false};  // came in a query string: order_id=17 is a text as well as a number
  std::vector<std::string> list;  // the texts of an array; other elements are left out
};

// The members of `params`. Getters give nothing when the member is absent, null or of another type;
// `of_type` tells wrong type from absence.
class Params {
 public:
  void clear() { items_.clear(); }
  void add(Param p) { items_.push_back(std::move(p)); }
  [[nodiscard]] const Param* find(std::string_view key) const noexcept;
  [[nodiscard]] bool has(std::string_view key) const noexcept;
  [[nodiscard]] std::optional<std::string_view> text(std::string_view key) const noexcept;
  [[nodiscard]] std::optional<double> number(std::string_view key) const noexcept;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const noexcept;
  [[nodiscard]] std::optional<bool> flag(std::string_view key) const noexcept;
  // An array of texts, or one text as an array of one.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;

 private:
  std::vector<Param> items_;
};

enum class RequestStatus : std::uint8_t {
  ok,
  parse_error,      // -32700
  invalid_request,  // -32600: not an object, no method, an id that is neither integer nor text
  invalid_params,   // -32602: params is not an object
};

struct Request {
  std::string id;  // JSON text of the id; empty when the request has none
  std::string method;
  Params params;
};

class RequestParser {
 public:
  RequestParser();
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // `out` keeps what could be read (the id too) when the answer is not ok.
  [[nodiscard]] RequestStatus parse(std::string_view text, Request& out);
  // HTTP: ?name=value&.. with percent escapes; numbers, true, false and [..] keep their JSON type.
  void parse_query(std::string_view query, Request& out);

 private:
  void query_value(std::string_view value, Param& p);
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace gimbal::sim
