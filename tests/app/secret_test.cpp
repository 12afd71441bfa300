// Where secrets may come from: every permission variant gets its verdict; no message holds content.
#include "ops/app/secret.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace gimbal {
namespace {

namespace fs = std::filesystem;

// The sanitizers turn mlock into nothing.
#if defined(GIMBAL_SANITIZED)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

constexpr const char* canary = "CANARY-7f3a9c51e2";

class CredentialFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "gimbal-secret-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    fs::permissions(directory, fs::perms{0700});
    write(std::string{"client_id=abc\nclient_secret="} + canary + "\n");
  }
  void TearDown() override {
    ::unsetenv("CREDENTIALS_DIRECTORY");
    fs::permissions(directory, fs::perms{0700});
    fs::remove_all(directory);
  }
  void write(const std::string& text, int mode = 0600) {
    fs::remove(path());
    std::ofstream{path(), std::ios::binary} << text;
    fs::permissions(path(), static_cast<fs::perms>(mode));
  }
  [[nodiscard]] std::string path() const { return directory / "key"; }
  // Empty when accepted. Whatever is said never holds the secret.
  std::string verdict(const std::string& where) {
    Credentials found;
    const auto outcome = read_credentials(where, found);
    EXPECT_EQ(outcome.error().find(canary), std::string::npos) << outcome.error();
    if (outcome) {
      EXPECT_EQ(found.client_id.reveal(), "abc");
      EXPECT_EQ(found.client_secret.reveal(), canary);
    } else {
      EXPECT_TRUE(found.client_secret.empty());
    }
    return outcome.error();
  }

  fs::path directory;
};

TEST_F(CredentialFile, OnlyOwnerReadableModesAreAccepted) {
  for (const int mode : {0400, 0600}) {
    fs::permissions(path(), static_cast<fs::perms>(mode));
    EXPECT_EQ(verdict(path()), "") << std::oct << mode;
  }
  for (const int mode : {0440, 0640, 0604, 0644, 0660, 0666, 0700, 0500, 0777}) {
    fs::permissions(path(), static_cast<fs::perms>(mode));
    EXPECT_NE(verdict(path()).find("must be 0400 or 0600"), std::string::npos) << std::oct << mode;
  }
}

TEST_F(CredentialFile, ADirectoryThatOthersMayWriteIsRefused) {
  for (const int mode : {0770, 0702, 0777, 01777}) {
    fs::permissions(directory, static_cast<fs::perms>(mode));
    EXPECT_NE(verdict(path()).find("chmod go-w"), std::string::npos) << std::oct << mode;
  }
  for (const int mode : {0700, 0750, 0755, 0500}) {
    fs::permissions(directory, static_cast<fs::perms>(mode));
    EXPECT_EQ(verdict(path()), "") << std::oct << mode;
  }
}

TEST_F(CredentialFile, ASymbolicLinkIsRefused) {
  fs::create_symlink(path(), directory / "link");
  EXPECT_NE(verdict(directory / "link").find("symbolic link"), std::string::npos);
}

TEST_F(CredentialFile, AForeignOwnerIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "changing the owner needs root";
  ASSERT_EQ(::chown(path().c_str(), 12345, 12345), 0);
  EXPECT_NE(verdict(path()).find("belongs to user 12345"), std::string::npos);
  ASSERT_EQ(::chown(path().c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(directory.c_str(), 12345, 12345), 0);
  EXPECT_NE(verdict(path()).find("directory belongs to user 12345"), std::string::npos);
}

TEST_F(CredentialFile, WhatIsNotARegularFileIsRefused) {
  fs::create_directory(directory / "sub");
  EXPECT_NE(verdict(directory / "sub").find("not a regular file"), std::string::npos);
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_NE(verdict(directory / "pipe").find("not a regular file"), std::string::npos);
  EXPECT_NE(verdict(directory / "absent").find("No such file"), std::string::npos);
  EXPECT_NE(verdict("/nonexistent/key").find("No such file"), std::string::npos);
  EXPECT_NE(verdict(directory.string() + "/").find("does not name a file"), std::string::npos);
}

TEST_F(CredentialFile, MalformedContentIsRefusedByLineNumber) {
  const std::string secret{canary};
  const std::pair<std::string, std::string> cases[]{
      {"client_secret=" + secret + "\n", "client_id=... is missing"},
      {"client_id=abc\n", "client_secret=... is missing"},
      {"client_id=abc\nclient_secret=" + secret + "\nclient_secret=" + secret,
       "line 3 repeats client_secret"},
      {"client_id=abc\n" + secret + "\n", "line 2 is not key=value"},
      {"client_id=abc\ntoken=" + secret + "\n", "line 2 has a key other than"},
      {"client_id=\nclient_secret=" + secret, "line 1 leaves client_id empty"},
      {"client_id=abc\nclient_secret=" + secret + " x", "line 2 holds a space"},
      {"client_id=abc\nclient_secret=" + secret + "\x80", "not ASCII"},
      {"", "client_id=... is missing"},
  };
  for (const auto& [text, expected] : cases) {
    write(text);
    EXPECT_NE(verdict(path()).find(expected), std::string::npos) << expected;
  }
  write(std::string(credential_bytes_max + 1, '#'));
  EXPECT_NE(verdict(path()).find("bytes, at most"), std::string::npos);
}

TEST_F(CredentialFile, CommentsAndSpacesAroundAreSkipped) {
  write(std::string{"# key of the test account\r\n\n client_id = abc \r\nclient_secret="} + canary);
  EXPECT_EQ(verdict(path()), "");
}

TEST_F(CredentialFile, ANameWithoutSlashIsASystemdCredential) {
  EXPECT_NE(verdict("key").find("CREDENTIALS_DIRECTORY is not set"), std::string::npos);
  ::setenv("CREDENTIALS_DIRECTORY", directory.c_str(), 1);
  EXPECT_EQ(verdict("key"), "");
  if (::geteuid() == 0) {  // what systemd shows when it grants access by ACL
    fs::permissions(path(), fs::perms{0440});
    EXPECT_EQ(verdict("key"), "");
  }
}

TEST(Secret, MovesWithoutCopyingAndStartsEmpty) {
  auto first = Secret::copy_of(canary);
  const auto* where = first.reveal().data();
  Secret second{std::move(first)};
  EXPECT_EQ(second.reveal().data(), where);
  EXPECT_TRUE(first.empty());  // NOLINT: the moved-from state is what is tested
  Secret third;
  EXPECT_TRUE(third.empty());
  third = std::move(second);
  EXPECT_EQ(third.reveal(), canary);
}

TEST(Secret, PagesAreLeftOutOfCoreDumps) {
  const auto secret = Secret::copy_of(canary);
  std::ostringstream address;
  address << std::hex << reinterpret_cast<std::uintptr_t>(secret.reveal().data()) << "-";
  std::ifstream maps{"/proc/self/smaps"};
  std::string line;
  bool inside = false;
  bool checked = false;
  while (std::getline(maps, line)) {
    if (line.find('-') != std::string::npos && line.find("kB") == std::string::npos) {
      inside = line.rfind(address.str(), 0) == 0;
    }
    if (!inside || line.rfind("VmFlags:", 0) != 0) continue;
    EXPECT_NE(line.find(" dd"), std::string::npos) << line;
    if (secret.locked() && !sanitized) { EXPECT_NE(line.find(" lo"), std::string::npos) << line; }
    checked = true;
  }
  if (!checked) GTEST_SKIP() << "the kernel merged or hides the mapping in /proc/self/smaps";
}

}  // namespace
}  // namespace gimbal
