#include "venues/sim/request.hpp"

#include <simdjson.h>

#include <cmath>

namespace gimbal::sim {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t params_max = 64;
constexpr double exact_integer_max = 9'007'199'254'740'992.0;

bool take_value(dom::element value, Param& p) {
  switch (value.type()) {
    case dom::element_type::NULL_VALUE: p.kind = ParamKind::null; return true;
    case dom::element_type::BOOL:
      p.kind = ParamKind::boolean;
      p.flag = value.get_bool().value_unsafe();
      p.text = p.flag ? "true" : "false";
      return true;
    case dom::element_type::STRING:
      p.kind = ParamKind::text;
      p.text = std::string{value.get_string().value_unsafe()};
      return true;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
      p.kind = ParamKind::number;
      p.number = value.get_double().value_unsafe();
      p.text = simdjson::minify(value);
      return true;
    case dom::element_type::ARRAY: {
      p.kind = ParamKind::list;
      const dom::array items = value.get_array().value_unsafe();
      for (const dom::element item : items) {
        std::string_view text;
        if (item.get_string().get(text) == simdjson::SUCCESS) p.list.emplace_back(text);
      }
      return true;
    }
    case dom::element_type::OBJECT: p.kind = ParamKind::other; return true;
  }
  return false;
}

bool take_id(dom::object request, std::string& id) {
  dom::element value;
  if (request["id"].get(value) != simdjson::SUCCESS) return true;
  const bool usable = value.is_int64() || value.is_uint64() || value.is_string() || value.is_null();
  if (usable) id = simdjson::minify(value);
  return usable;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
               hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

const Param* Params::find(std::string_view key) const noexcept {
  for (const Param& p : items_) {
    if (p.key == key) return &p;
  }
  return nullptr;
}

bool Params::has(std::string_view key) const noexcept {
  const Param* p = find(key);
  return p != nullptr && p->kind != ParamKind::null;
}

std::optional<std::string_view> Params::text(std::string_view key) const noexcept {
  const Param* p = find(key);
  if (p == nullptr || (p->kind != ParamKind::text && !p->untyped)) return std::nullopt;
  return p->text;
}

std::optional<double> Params::number(std::string_view key) const noexcept {
  const Param* p = find(key);
  if (p == nullptr || p->kind != ParamKind::number) return std::nullopt;
  return p->number;
}

std::optional<std::int64_t> Params::integer(std::string_view key) const noexcept {
  const auto value = number(key);
  if (!value || std::trunc(*value) != *value || std::abs(*value) > exact_integer_max) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*value);
}

std::optional<bool> Params::flag(std::string_view key) const noexcept {
  const Param* p = find(key);
  if (p == nullptr || p->kind != ParamKind::boolean) return std::nullopt;
  return p->flag;
}

std::vector<std::string> Params::texts(std::string_view key) const {
  const Param* p = find(key);
  if (p == nullptr) return {};
  if (p->kind == ParamKind::text || (p->untyped && p->list.empty())) return {p->text};
  return p->list;
}

struct RequestParser::Inside {
  dom::parser parser;
};

RequestParser::RequestParser() : inside_{std::make_unique<Inside>()} {}
RequestParser::~RequestParser() = default;

RequestStatus RequestParser::parse(std::string_view text, Request& out) {
  out.id.clear();
  out.method.clear();
  out.params.clear();
  dom::element document;
  if (inside_->parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS) {
    return RequestStatus::parse_error;
  }
  dom::object request;
  if (document.get_object().get(request) != simdjson::SUCCESS || !take_id(request, out.id)) {
    return RequestStatus::invalid_request;
  }
  std::string_view method;
  if (request["method"].get_string().get(method) != simdjson::SUCCESS) {
    return RequestStatus::invalid_request;
  }
  out.method = std::string{method};
  dom::element params;
  if (request["params"].get(params) != simdjson::SUCCESS || params.is_null()) {
    return RequestStatus::ok;
  }
  dom::object members;
  if (params.get_object().get(members) != simdjson::SUCCESS) return RequestStatus::invalid_params;
  if (members.size() > params_max) return RequestStatus::invalid_params;
  for (const auto& [key, value] : members) {
    Param p;
    p.key = std::string{key};
    if (take_value(value, p)) out.params.add(std::move(p));
  }
  return RequestStatus::ok;
}

void RequestParser::query_value(std::string_view value, Param& p) {
  p.text = unescape(value);
  p.kind = ParamKind::text;
  dom::element parsed;
  if (inside_->parser.parse(p.text.data(), p.text.size()).get(parsed) != simdjson::SUCCESS) return;
  const std::string as_written = p.text;
  if (!take_value(parsed, p)) return;
  p.untyped = p.kind == ParamKind::number || p.kind == ParamKind::boolean;
  if (p.kind == ParamKind::number) p.text = as_written;
}

void RequestParser::parse_query(std::string_view query, Request& out) {
  out.params.clear();
  for (std::size_t count = 0; !query.empty() && count < params_max; ++count) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    Param p;
    p.key = unescape(pair.substr(0, equals));
    query_value(pair.substr(equals + 1), p);
    out.params.add(std::move(p));
  }
}

}  // namespace gimbal::sim
