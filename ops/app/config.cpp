// From a file's tree to a Config: every key is known, every value right, every relation holds, or
// everything that is wrong is listed.
#include "ops/app/config.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "ops/app/config_check.hpp"
#include "ops/app/config_fields.hpp"
#include "ops/app/hash.hpp"

namespace gimbal {
namespace {

// Number of single-character edits between two short keys.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t keep = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({keep, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

template <class Names>
std::string suggestion(std::string_view wrong, const Names& known) {
  std::string_view best;
  std::size_t best_distance = 3;
  for (const auto& name : known) {
    if (wrong.size() > 64) break;
    const auto distance = edit_distance(wrong, name);
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best.empty() ? "" : "; did you mean " + std::string{best} + "?";
}

class Loader {
 public:
  Loader(std::string name, const TomlValue& root, std::vector<ConfigProblem>& problems)
      : name_{std::move(name)}, root_{root}, problems_{problems} {}

  Config load() {
    level(root_, "");
    for (const auto& shape : table_shapes()) {
      if (!seen_.contains(shape.path)) absent(shape);
    }
    check_config(config_, [this](const ConfigPath& path, const std::string& text) {
      if (!wrong_.contains(path.text())) {
        add(place_of_path(root_, path), path.text() + " " + text);
      }
    });
    return std::move(config_);
  }

 private:
  void level(const TomlValue& table, const std::string& prefix) {
    for (std::size_t i = 0; i < table.members.size(); ++i) {
      const auto& [key, value] = table.members[i];
      const std::string path = prefix + key;
      const auto shape = std::find_if(table_shapes().begin(), table_shapes().end(),
                                      [&](const TableShape& s) { return s.path == path; });
      if (shape != table_shapes().end()) {
        seen_.insert(shape->path);
        take(*shape, value, table.key_places[i]);
      } else if (is_parent(path) && value.kind == TomlKind::table) {
        level(value, path + ".");
      } else {
        unknown_table(path, table.key_places[i]);
      }
    }
  }

  static bool is_parent(const std::string& path) {
    return std::any_of(table_shapes().begin(), table_shapes().end(), [&](const TableShape& s) {
      return s.path.size() > path.size() && s.path.substr(0, path.size()) == path &&
             s.path[path.size()] == '.';
    });
  }

  void unknown_table(const std::string& path, TomlPlace place) {
    std::vector<std::string_view> known;
    for (const auto& shape : table_shapes()) known.push_back(shape.path);
    add(place, path + " is not a known table or key" + suggestion(path, known));
  }

  void take(const TableShape& shape, const TomlValue& value, TomlPlace key_place) {
    if (!shape.array) {
      if (value.kind != TomlKind::table) {
        return add(value.place,
                   "[" + std::string{shape.path} + "] must be a table, found " + value.found());
      }
      return one(shape, 0, value, key_place);
    }
    if (value.kind != TomlKind::array) {
      return add(value.place, "[[" + std::string{shape.path} +
                                  "]] must be a list of tables, found " + value.found() +
                                  " (write it with two brackets)");
    }
    if (value.items.size() < shape.count_min || value.items.size() > shape.count_max) {
      return add(key_place, "[[" + std::string{shape.path} + "]] appears " +
                                std::to_string(value.items.size()) + " times, allowed are " +
                                std::to_string(shape.count_min) + " to " +
                                std::to_string(shape.count_max));
    }
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const auto& item = value.items[i];
      if (item.kind == TomlKind::table)
        one(shape, i, item, item.place);
      else
        add(item.place,
            "[[" + std::string{shape.path} + "]] must hold tables, found " + item.found());
    }
  }

  void one(const TableShape& shape, std::size_t index, const TomlValue& table, TomlPlace place) {
    const auto known = shape.open(config_, index);
    for (std::size_t i = 0; i < table.members.size(); ++i) {
      const std::string& key = table.members[i].key;
      const TomlValue& value = table.members[i].value;
      const ConfigPath path{shape.path, shape.array, index, key};
      const auto ref =
          std::find_if(known.begin(), known.end(), [&](const FieldRef& f) { return f.key == key; });
      if (ref == known.end()) {
        std::vector<std::string_view> names;
        for (const auto& f : known) names.push_back(f.key);
        add(table.key_places[i], path.text() + " is not a known key" + suggestion(key, names));
      } else if (const auto complaint = ref->load(value); !complaint.empty()) {
        wrong_.insert(path.text());
        add(value.place, path.text() + " " + complaint);
      }
    }
    for (const auto& f : known) {
      if (!f.info.required || table.find(f.key) != nullptr) continue;
      const ConfigPath path{shape.path, shape.array, index, f.key};
      wrong_.insert(path.text());
      add(place, path.text() + " is required and has no default: " + f.type +
                     (f.info.unit.empty() ? "" : " in " + std::string{f.info.unit}) + ". " +
                     std::string{f.info.doc});
    }
  }

  void absent(const TableShape& shape) {
    if (!shape.array) return one(shape, 0, TomlValue{}, {});
    if (shape.count_min > 0)
      add({}, "[[" + std::string{shape.path} + "]] is missing: " + std::string{shape.doc});
  }

  void add(TomlPlace place, std::string text) {
    problems_.push_back({name_, place, std::move(text)});
  }

  std::string name_;
  const TomlValue& root_;
  std::vector<ConfigProblem>& problems_;
  Config config_;
  std::set<std::string_view> seen_;
  std::set<std::string> wrong_;
};

}  // namespace

std::string Config::control_socket_path() const {
  return runtime.control_socket.empty() ? runtime.runtime_dir + "/control.sock"
                                        : runtime.control_socket;
}

std::string Config::module_directory(const ModuleConfig& module) const {
  return module.directory.empty() ? runtime.runtime_dir + "/module-" + module.name
                                  : module.directory;
}

Environment Config::environment() const {
  return venues.empty() ? Environment::sim : venues.front().environment;
}

std::string to_text(const ConfigProblem& problem) {
  std::string text = problem.file + ":";
  if (problem.place.line != 0) {
    text += std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column) + ":";
  }
  return text + " " + problem.text;
}

std::string LoadedConfig::hash_hex() const { return to_hex(hash); }
std::uint64_t LoadedConfig::short_hash() const { return gimbal::short_hash(hash); }

std::unique_ptr<LoadedConfig> parse_config(std::string_view text, const std::string& name,
                                           std::vector<ConfigProblem>& problems) {
  const std::size_t before = problems.size();
  TomlValue root;
  TomlProblem syntax;
  if (!parse_toml(text, root, syntax)) {
    problems.push_back({name, syntax.place, syntax.text});
    return nullptr;
  }
  auto loaded = std::make_unique<LoadedConfig>();
  loaded->path = name;
  loaded->hash = sha256(text);
  loaded->config = Loader{name, root, problems}.load();
  std::stable_sort(
      problems.begin() + static_cast<std::ptrdiff_t>(before), problems.end(),
      [](const ConfigProblem& a, const ConfigProblem& b) {
        return std::pair{a.place.line, a.place.column} < std::pair{b.place.line, b.place.column};
      });
  return problems.size() == before ? std::move(loaded) : nullptr;
}

std::unique_ptr<LoadedConfig> load_config(const std::string& path,
                                          std::vector<ConfigProblem>& problems) {
  std::ifstream file{path, std::ios::binary};
  std::string text;
  if (file) {
    text.resize(config_bytes_max + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof() && text.size() <= config_bytes_max) {
    problems.push_back({path, {}, std::string{"cannot be read: "} + std::strerror(errno)});
    return nullptr;
  }
  return parse_config(text, path, problems);
}

}  // namespace gimbal
