#include "ops/app/scope_names.hpp"

#include <sys/stat.h>

#include <charconv>
#include <cstdio>
#include <fstream>

#include "ops/app/control_protocol.hpp"

namespace gimbal {

Outcome write_scope_names(const std::string& runtime_dir, const std::vector<ScopeName>& names) {
  const std::string path = runtime_dir + "/" + std::string{scope_names_file};
  const std::string fresh = path + ".new";
  {
    std::ofstream file{fresh, std::ios::trunc};
    for (const auto& n : names) {
      file << name_of(n.scope.level) << ' ' << n.scope.id << ' ' << n.name << '\n';
    }
    file.flush();
    if (!file) return Outcome::system("write", fresh);
  }
  if (::chmod(fresh.c_str(), 0640) != 0) return Outcome::system("set the mode of", fresh);
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return Outcome::system("rename", fresh);
  return {};
}

std::vector<ScopeName> read_scope_names(const std::string& runtime_dir) {
  std::vector<ScopeName> names;
  std::ifstream file{runtime_dir + "/" + std::string{scope_names_file}};
  std::string level;
  std::string name;
  unsigned id = 0;
  while (file >> level >> id >> name) {
    for (std::size_t l = 0; l < scope_levels; ++l) {
      const auto known = static_cast<ScopeLevel>(l);
      if (level != name_of(known) || id >= scope_count(known)) continue;
      names.push_back({Scope{known, static_cast<std::uint16_t>(id)}, name});
    }
  }
  return names;
}

std::string name_in(const std::vector<ScopeName>& names, Scope scope) {
  for (const ScopeName& n : names) {
    if (n.scope == scope) return n.name;
  }
  return {};
}

std::uint16_t number_in(const std::vector<ScopeName>& names, ScopeLevel level,
                        std::string_view name) {
  for (const ScopeName& n : names) {
    if (n.scope.level == level && n.name == name) return n.scope.id;
  }
  return 0xFFFF;
}

ScopeLookup find_scope(const std::string& runtime_dir, std::string_view text, Scope& out) {
  const auto parsed = parse_scope(text);
  if (!parsed) return ScopeLookup::unknown;
  out = {parsed->level, 0};
  if (parsed->level == ScopeLevel::global) return ScopeLookup::found;
  std::uint16_t number = 0;
  const auto* last = parsed->name.data() + parsed->name.size();
  const auto [end, error] = std::from_chars(parsed->name.data(), last, number);
  if (error == std::errc{} && end == last) {
    out.id = number;
    return number < scope_count(parsed->level) ? ScopeLookup::found : ScopeLookup::unknown;
  }
  std::ifstream file{runtime_dir + "/" + std::string{scope_names_file}};
  if (!file) return ScopeLookup::no_file;
  std::string level;
  std::string name;
  unsigned id = 0;
  while (file >> level >> id >> name) {
    if (level != name_of(parsed->level) || name != parsed->name || id >= scope_count(parsed->level))
      continue;
    out.id = static_cast<std::uint16_t>(id);
    return ScopeLookup::found;
  }
  return ScopeLookup::unknown;
}

}  // namespace gimbal
