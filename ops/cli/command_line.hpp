// Command lines of the programs: options, flags and subcommands over variables of the caller. CLI11
// does the work behind this header, which costs its users nothing to compile (CLI11's own costs 8 s
// a file, 30 s with sanitizers). Handles are cheap to copy and live as long as their CommandLine;
// the variables must live until parse() has returned. Room: ops/cli.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

// CLI11's own types, only ever pointed to here.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gimbal::cli {

// One option or flag. Every call changes it and returns it.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_{&option} {}
  Option required();
  // The help text shows the variable's present value as the default.
  Option shows_default();
  Option shows_default(const std::string& text);
  // Heading of the help text under which it stands.
  Option group(const std::string& heading);
  // Refused outside [low, high]. T: double, int or std::int64_t.
  template <class T>
  Option range(T low, T high);
  Option existing_file();
  // `verdict` returns what is wrong with the text, or nothing.
  Option check(const std::function<std::string(const std::string& text)>& verdict);
  // Both on one line are refused.
  Option excludes(Option other);

 private:
  CLI::Option* option_;
};

// A program's command or one of its subcommands.
class Command {
 public:
  explicit Command(CLI::App& app) : app_{&app} {}
  // `names` as "-c,--config", or "file" for a positional one. T: std::string or a path, a
  // vector of either, double, int, std::int64_t or an unsigned of 16, 32 or 64 bits; another type
  // does not link.
  template <class T>
  Option add_option(const std::string& names, T& value, const std::string& help);
  Option add_flag(const std::string& names, bool& value, const std::string& help);
  Command add_subcommand(const std::string& name, const std::string& help);
  void version_flag(const std::string& text);
  // At least `least` and at most `most` subcommands of this one.
  void require_subcommand(std::size_t least, std::size_t most);
  // A subcommand hands options that it does not know to this one.
  void fallthrough();
  // Printed below the help text.
  void footer(const std::string& text);
  // Runs inside parse(), when the line names this command.
  void callback(const std::function<void()>& work);
  // Runs inside parse() once the line is read, before any other callback.
  void when_parsed(const std::function<void()>& work);
  // Whether the line gives this option.
  [[nodiscard]] bool given(const std::string& name) const;
  [[nodiscard]] bool has_subcommand() const;

 private:
  CLI::App* app_;
};

inline constexpr int line_is_help = 0;
inline constexpr int line_is_wrong = 2;

class CommandLine : public Command {
 public:
  CommandLine(const std::string& about, const std::string& name);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Reads the line and runs its callbacks; what they throw is thrown. With a value nothing ran:
  // help or the version was printed (line_is_help), or what is wrong, on stderr (line_is_wrong).
  [[nodiscard]] std::optional<int> parse(int argc, const char* const* argv);

 private:
  explicit CommandLine(std::unique_ptr<CLI::App> app);
  std::unique_ptr<CLI::App> app_;
};

}  // namespace gimbal::cli
