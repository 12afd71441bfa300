#include "ops/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <vector>

namespace gimbal::cli {

Option Option::required() {
  option_->required();
  return *this;
}
Option Option::shows_default() {
  option_->capture_default_str();
  return *this;
}
Option Option::shows_default(const std::string& text) {
  option_->default_str(text);
  return *this;
}
Option Option::group(const std::string& heading) {
  option_->group(heading);
  return *this;
}
Option Option::existing_file() {
  option_->check(CLI::ExistingFile);
  return *this;
}
Option Option::check(const std::function<std::string(const std::string&)>& verdict) {
  option_->check(verdict);
  return *this;
}
Option Option::excludes(Option other) {
  option_->excludes(other.option_);
  return *this;
}
template <class T>
Option Option::range(T low, T high) {
  option_->check(CLI::Range(low, high));
  return *this;
}
template Option Option::range(double, double);
template Option Option::range(int, int);
template Option Option::range(std::int64_t, std::int64_t);

template <class T>
Option Command::add_option(const std::string& names, T& value, const std::string& help) {
  return Option{*app_->add_option(names, value, help)};
}
template Option Command::add_option(const std::string&, std::string&, const std::string&);
template Option Command::add_option(const std::string&, std::vector<std::string>&,
                                    const std::string&);
template Option Command::add_option(const std::string&, std::filesystem::path&, const std::string&);
template Option Command::add_option(const std::string&, std::vector<std::filesystem::path>&,
                                    const std::string&);
template Option Command::add_option(const std::string&, double&, const std::string&);
template Option Command::add_option(const std::string&, std::uint16_t&, const std::string&);
template Option Command::add_option(const std::string&, int&, const std::string&);
template Option Command::add_option(const std::string&, std::int64_t&, const std::string&);
template Option Command::add_option(const std::string&, std::uint32_t&, const std::string&);
template Option Command::add_option(const std::string&, std::uint64_t&, const std::string&);

Option Command::add_flag(const std::string& names, bool& value, const std::string& help) {
  return Option{*app_->add_flag(names, value, help)};
}
Command Command::add_subcommand(const std::string& name, const std::string& help) {
  return Command{*app_->add_subcommand(name, help)};
}
void Command::version_flag(const std::string& text) {
  app_->set_version_flag("--version", text, "Version, build hash and compiler");
}
void Command::require_subcommand(std::size_t least, std::size_t most) {
  app_->require_subcommand(least, most);
}
void Command::fallthrough() { app_->fallthrough(); }
void Command::footer(const std::string& text) { app_->footer(text); }
void Command::callback(const std::function<void()>& work) { app_->callback(work); }
void Command::when_parsed(const std::function<void()>& work) {
  app_->parse_complete_callback(work);
}
bool Command::given(const std::string& name) const { return app_->count(name) > 0; }
bool Command::has_subcommand() const { return !app_->get_subcommands().empty(); }

CommandLine::CommandLine(const std::string& about, const std::string& name)
    : CommandLine{std::make_unique<CLI::App>(about, name)} {}
CommandLine::CommandLine(std::unique_ptr<CLI::App> app) : Command{*app}, app_{std::move(app)} {}
CommandLine::~CommandLine() = default;

std::optional<int> CommandLine::parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    const bool unknown = argc > 1 && argv[1][0] != '-' && !has_subcommand();
    if (!unknown) return app_->exit(error) == 0 ? line_is_help : line_is_wrong;
    const std::string name = app_->get_name();
    std::fprintf(stderr, "%s: there is no command '%.60s'; %s --help lists them\n", name.c_str(),
                 argv[1], name.c_str());
    return line_is_wrong;
  } catch (const CLI::ParseError& error) {
    return app_->exit(error) == 0 ? line_is_help : line_is_wrong;
  }
  return std::nullopt;
}

}  // namespace gimbal::cli
