// Cancel requests: see cancel_encode.hpp.
#include "venues/deribit/cancel_encode.hpp"

#include "venues/deribit/json_writer.hpp"

namespace gimbal::deribit {

namespace {

constexpr std::string_view request_head = R"({"jsonrpc":"2.0","id":)";

std::size_t with_text(std::int64_t id, std::string_view method_and_key, std::string_view text,
                      std::string_view tail, std::span<char> out) noexcept {
  JsonWriter w{out};
  w.raw(request_head).integer(id).raw(method_and_key).plain(text).raw(tail);
  return text.empty() ? 0 : w.size();
}

}  // namespace

std::size_t encode_cancel(std::int64_t id, std::string_view order_id,
                          std::span<char> out) noexcept {
  return with_text(id, R"(,"method":"private/cancel","params":{"order_id":")", order_id, R"("}})",
                   out);
}

std::size_t encode_cancel_by_label(std::int64_t id, std::string_view label,
                                   std::span<char> out) noexcept {
  return with_text(id, R"(,"method":"private/cancel_by_label","params":{"label":")", label,
                   R"("}})", out);
}

std::size_t encode_cancel_all(std::int64_t id, bool detailed, std::span<char> out) noexcept {
  JsonWriter w{out};
  w.raw(request_head).integer(id).raw(R"(,"method":"private/cancel_all","params":{)");
  w.raw(detailed ? R"("detailed":true}})" : "}}");
  return w.size();
}

std::size_t encode_cancel_all_by_currency(std::int64_t id, std::string_view currency,
                                          std::span<char> out) noexcept {
  return with_text(id, R"(,"method":"private/cancel_all_by_currency","params":{"currency":")",
                   currency, R"("}})", out);
}

std::size_t encode_cancel_all_by_instrument(std::int64_t id, std::string_view instrument,
                                            std::span<char> out) noexcept {
  return with_text(id,
                   R"(,"method":"private/cancel_all_by_instrument","params":{"instrument_name":")",
                   instrument, R"(","type":"all"}})", out);
}

std::size_t encode_cancel_all_by_currency_pair(std::int64_t id, std::string_view currency_pair,
                                               std::span<char> out) noexcept {
  return with_text(id,
                   R"(,"method":"private/cancel_all_by_currency_pair","params":{"currency_pair":")",
                   currency_pair, R"("}})", out);
}

}  // namespace gimbal::deribit
