#include "tests/io/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace gimbal::test {
namespace {

void become(const char* path, int fd) {
  const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) ::_exit(126);
  ::dup2(file, fd);
  ::close(file);
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments, const std::string& out,
             const std::string& err) {
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    become("/dev/null", STDIN_FILENO);
    become(out.c_str(), STDOUT_FILENO);
    become(err.c_str(), STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  reaped_ = pid_ < 0;
}

Child::Child(Child&& other) noexcept { *this = std::move(other); }

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  end();
  pid_ = std::exchange(other.pid_, -1);
  code_ = std::exchange(other.code_, -1);
  reaped_ = std::exchange(other.reaped_, true);
  return *this;
}

Child::~Child() { end(); }

void Child::end() noexcept {
  if (reaped_ || pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  reaped_ = true;
}

bool Child::running() {
  if (reaped_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  reaped_ = true;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

int Child::wait(Patience limit) {
  return eventually(limit, [this] { return !running(); }) ? code_ : -1;
}

void Child::signal(int number) const {
  if (!reaped_ && pid_ > 0) ::kill(pid_, number);
}

int Child::stop(int number, Patience limit) {
  signal(number);
  return wait(limit);
}

Finished run_program(const std::vector<std::string>& arguments, const std::string& directory,
                     Patience limit) {
  const std::string out = directory + "/program.out";
  const std::string err = directory + "/program.err";
  Child child{arguments, out, err};
  const int code = child.wait(limit);
  return {code, read_text(out), read_text(err)};
}

std::string read_text(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text, unsigned mode) {
  {
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    file << text;
  }
  ::chmod(path.c_str(), mode);
}

double number_in(const std::string& json, const std::string& key, double missing) {
  const std::string name = '"' + key + "\":";
  const std::size_t at = json.find(name);
  if (at == std::string::npos) return missing;
  const char* from = json.c_str() + at + name.size();
  if (*from == '"') ++from;
  char* end = nullptr;
  const double value = std::strtod(from, &end);
  return end == from ? missing : value;
}

std::string text_in(const std::string& json, const std::string& key) {
  const std::string name = '"' + key + "\":\"";
  const std::size_t at = json.find(name);
  if (at == std::string::npos) return {};
  const std::size_t from = at + name.size();
  return json.substr(from, json.find('"', from) - from);
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace gimbal::test
