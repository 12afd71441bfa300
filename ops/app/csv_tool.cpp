#include "ops/app/csv_tool.hpp"

#include <cstdio>

#include "ops/app/commands.hpp"

namespace gimbal {

namespace {
constexpr std::size_t input_bytes_max = std::size_t{1} << 30;
}  // namespace

bool read_input(const std::string& file, std::string& text, std::string& why) {
  std::FILE* in = file == "-" ? stdin : std::fopen(file.c_str(), "rb");
  if (in == nullptr) {
    why = "cannot be opened for reading; give a CSV file, or - for standard input";
    return false;
  }
  std::string block(std::size_t{1} << 16, '\0');
  for (std::size_t got = 1; got > 0 && text.size() <= input_bytes_max;) {
    got = std::fread(block.data(), 1, block.size(), in);
    text.append(block, 0, got);
  }
  const bool failed = std::ferror(in) != 0;
  if (in != stdin) std::fclose(in);
  if (failed) why = "cannot be read (is it a folder?)";
  if (text.size() > input_bytes_max) why = "is larger than 1 GiB; split it";
  return why.empty();
}

int run_csv_tool(const char* tool, const std::string& file,
                 const std::function<CsvOutcome(std::string_view)>& table) {
  const std::string source = file == "-" ? "standard input" : file;
  std::string text;
  std::string why;
  if (!read_input(file, text, why)) {
    std::fprintf(stderr, "%s: %s %s\n", tool, source.c_str(), why.c_str());
    return exit_usage;
  }
  const CsvOutcome out = table(text);
  for (const CsvProblem& p : out.problems) {
    std::fprintf(stderr, "%s\n", p.to_text(source).c_str());
  }
  if (!out.usable) return exit_usage;
  const bool written =
      std::fwrite(out.output.data(), 1, out.output.size(), stdout) == out.output.size() &&
      std::fflush(stdout) == 0;
  if (!written) {
    std::fprintf(stderr, "%s: the output could not be written\n", tool);
    return exit_failed;
  }
  if (out.problems.empty()) return exit_done;
  std::fprintf(stderr, "%s: %zu row%s written, %zu problem%s in %s; refused rows are left out\n",
               tool, out.rows, out.rows == 1 ? "" : "s", out.problems.size(),
               out.problems.size() == 1 ? "" : "s", source.c_str());
  return exit_failed;
}

}  // namespace gimbal
