// The shell around a CSV table: reads the file, prints the result, names the problems on stderr.
// Room: ops/app, cold.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "ops/app/csv_table.hpp"

namespace gimbal {

// Reads all of the file ("-": standard input). False with the reason when that is not possible.
bool read_input(const std::string& file, std::string& text, std::string& why);

// `tool` is the name for messages, as "gimbal iv". Exit code: 0 all rows written, 1 some row
// refused or the output could not be written, 2 no usable input.
int run_csv_tool(const char* tool, const std::string& file,
                 const std::function<CsvOutcome(std::string_view)>& table);

}  // namespace gimbal
